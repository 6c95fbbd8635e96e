-- Signs agents in with their password or, as Finesse does with single sign-on, with their access token.
-- Both stand in the account's file, which is read anew each time: what is written there counts from then on.

local new_sasl = require "util.sasl".new;

local accounts = module:open_store("accounts");
local host = module.host;

local provider = {};

function provider.test_password(username, password)
	local account = accounts:get(username);
	return account ~= nil and (password == account.password or password == account.token);
end

function provider.user_exists(username)
	return accounts:get(username) ~= nil;
end

function provider.get_sasl_handler()
	return new_sasl(host, {
		plain_test = function (_, username, password)
			return provider.test_password(username, password), true;
		end;
	});
end

module:provides("auth", provider);
