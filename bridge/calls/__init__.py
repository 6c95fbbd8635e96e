"""Call control: commands become call actions, call actions become events and exactly one outcome."""
