-- Ties Prosody to the process that started it, over the standard streams.
--
-- On standard output: "ready", once every port listens, or "taken <port>" for a port that another process holds.
-- On standard input, a line each:
--   cut <bare JID>   drop the sockets of that user's sessions, without a word to them; answered by "done <how many>"
--   cut *            the same for every client
-- When standard input ends, the starter has died, and Prosody goes with it.

module:set_global();

local server = require "net.server";
local portmanager = require "core.portmanager";
local jid_bare = require "util.jid".bare;

local expected = module:get_option_array("bridge_control_ports", {});

local function say(...)
	io.stdout:write(string.format(...), "\n");
	io.stdout:flush();
end

local function cut(whom)
	local chosen = {};
	for full_jid, session in pairs(prosody.full_sessions) do
		if session.conn and (whom == "*" or jid_bare(full_jid) == whom) then
			chosen[#chosen+1] = session.conn;
		end
	end
	for _, conn in ipairs(chosen) do
		conn:on("disconnect", "cut");
		conn:destroy();
	end
	return #chosen;
end

local function on_line()
	local line = io.stdin:read("L");
	if not line then
		os.exit(0);
	end
	local whom = line:match("^cut (%S+)\n$");
	if whom then
		say("done %d", cut(whom));
	end
end

module:hook("server-started", function ()
	for _, port in ipairs(expected) do
		if not portmanager.get_service_at("127.0.0.1", port) then
			say("taken %d", port);
			return;
		end
	end
	-- Unbuffered: a line that waited in a buffer of ours would not make the descriptor readable.
	io.stdin:setvbuf("no");
	server.watchfd(0, on_line);
	say("ready");
end);
