// Drives the client of this API that liblinphone has inside, from lines on standard input:
//
//     flexiapi_client CONFIGURATION URL [API-KEY]
//
// A line is an operation and its arguments, with tabs between. For each, the answer's status and the length of its body
// are printed on a line, then the body and a newline; status 0 means that no answer came. Of errors liblinphone hands
// over no body.

#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <linphone/core.h>

using std::string;
using Arguments = std::vector<string>;

// No header declares this class, but the library exports it. Its fields are the library's affair: there is room for them.
class FlexiAPIClient : public std::enable_shared_from_this<FlexiAPIClient> {
public:
	struct Response {
		int code = 0;
		string body;
	};

	explicit FlexiAPIClient(LinphoneCore *core);
	FlexiAPIClient *setApiKey(const char *key);
	FlexiAPIClient *then(std::function<void(Response)> callback);
	FlexiAPIClient *error(std::function<void(Response)> callback);

	FlexiAPIClient *ping();
	FlexiAPIClient *me();
	FlexiAPIClient *accountDelete();
	FlexiAPIClient *accountDevices();
	FlexiAPIClient *accountContacts();
	FlexiAPIClient *accountContact(string sip);
	FlexiAPIClient *accountInfo(string sip);
	FlexiAPIClient *accountEmailChangeRequest(string email);
	FlexiAPIClient *accountPhoneChangeRequest(string phone);
	FlexiAPIClient *accountPhoneChange(string code);
	FlexiAPIClient *accountPasswordChange(string algorithm, string password, string oldPassword);
	FlexiAPIClient *adminAccountCreate(string username, string password, string algorithm, string domain, bool activated,
	                                   string email, string phone, string dtmfProtocol);
	FlexiAPIClient *adminAccounts();
	FlexiAPIClient *adminAccount(int id);
	FlexiAPIClient *adminAccountDelete(int id);
	FlexiAPIClient *adminAccountActivate(int id);
	FlexiAPIClient *adminAccountSearch(string sip);
	FlexiAPIClient *adminAccountContacts(int id);
	FlexiAPIClient *adminAccountContactAdd(int id, int contactId);
	FlexiAPIClient *adminAccountContactDelete(int id, int contactId);

private:
	char fieldsOfTheLibrary[1024] = {};
};

using Operation = std::function<void(FlexiAPIClient &, const Arguments &)>;

static const std::map<string, Operation> operations = {
    {"ping", [](auto &client, auto &) { client.ping(); }},
    {"me", [](auto &client, auto &) { client.me(); }},
    {"delete", [](auto &client, auto &) { client.accountDelete(); }},
    {"devices", [](auto &client, auto &) { client.accountDevices(); }},
    {"contacts", [](auto &client, auto &) { client.accountContacts(); }},
    {"contact", [](auto &client, auto &with) { client.accountContact(with.at(0)); }},
    {"info", [](auto &client, auto &with) { client.accountInfo(with.at(0)); }},
    {"email-request", [](auto &client, auto &with) { client.accountEmailChangeRequest(with.at(0)); }},
    {"phone-request", [](auto &client, auto &with) { client.accountPhoneChangeRequest(with.at(0)); }},
    {"phone", [](auto &client, auto &with) { client.accountPhoneChange(with.at(0)); }},
    {"password", [](auto &client, auto &with) { client.accountPasswordChange(with.at(0), with.at(1), with.at(2)); }},
    {"admin-create",
     [](auto &client, auto &with) {
	     client.adminAccountCreate(with.at(0), with.at(1), with.at(2), with.at(3), true, with.at(4), with.at(5), with.at(6));
     }},
    {"admin-list", [](auto &client, auto &) { client.adminAccounts(); }},
    {"admin-get", [](auto &client, auto &with) { client.adminAccount(std::stoi(with.at(0))); }},
    {"admin-delete", [](auto &client, auto &with) { client.adminAccountDelete(std::stoi(with.at(0))); }},
    {"admin-activate", [](auto &client, auto &with) { client.adminAccountActivate(std::stoi(with.at(0))); }},
    {"admin-search", [](auto &client, auto &with) { client.adminAccountSearch(with.at(0)); }},
    {"admin-contacts", [](auto &client, auto &with) { client.adminAccountContacts(std::stoi(with.at(0))); }},
    {"admin-contact-add",
     [](auto &client, auto &with) { client.adminAccountContactAdd(std::stoi(with.at(0)), std::stoi(with.at(1))); }},
    {"admin-contact-delete",
     [](auto &client, auto &with) { client.adminAccountContactDelete(std::stoi(with.at(0)), std::stoi(with.at(1))); }},
};

static LinphoneCore *started(const char *configuration, const char *url) {
	LinphoneFactory *factory = linphone_factory_get();
	LinphoneConfig *settings = linphone_config_new(configuration);
	linphone_config_set_string(settings, "account_creator", "url", url);
	LinphoneCore *core = linphone_factory_create_core_with_config_3(factory, settings, nullptr);
	LinphoneTransports *none = linphone_factory_create_transports(factory);
	linphone_transports_set_udp_port(none, 0);
	linphone_transports_set_tcp_port(none, 0);
	linphone_transports_set_tls_port(none, 0);
	linphone_core_set_transports(core, none);
	linphone_core_start(core);
	return core;
}

static FlexiAPIClient::Response asked(LinphoneCore *core, const char *key, const Operation &operation, const Arguments &with) {
	constexpr int PATIENCE = 500, HUNDREDTH = 10'000;
	// Kept for ever: the library may come back to one that has answered.
	static std::vector<std::shared_ptr<FlexiAPIClient>> clients;
	auto client = clients.emplace_back(std::make_shared<FlexiAPIClient>(core));
	if (key) client->setApiKey(key);
	bool answered = false;
	FlexiAPIClient::Response answer;
	auto take = [&](FlexiAPIClient::Response response) {
		answer = response;
		answered = true;
	};
	operation(*client, with);
	client->then(take);
	client->error(take);
	for (int hundredths = 0; !answered && hundredths < PATIENCE; hundredths++) {
		linphone_core_iterate(core);
		usleep(HUNDREDTH);
	}
	return answer;
}

int main(int argc, char **argv) {
	if (argc < 3) return 2;
	linphone_logging_service_set_log_level_mask(linphone_logging_service_get(), 0);
	LinphoneCore *core = started(argv[1], argv[2]);
	for (string line; std::getline(std::cin, line);) {
		std::istringstream parts(line);
		string name, argument;
		std::getline(parts, name, '\t');
		Arguments with;
		while (std::getline(parts, argument, '\t')) with.push_back(argument);
		auto answer = asked(core, argc > 3 ? argv[3] : nullptr, operations.at(name), with);
		std::cout << answer.code << ' ' << answer.body.size() << '\n' << answer.body << std::endl;
	}
	_exit(0); // this release of the library crashes now and then when it ends
}
