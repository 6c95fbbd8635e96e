// Generated from the catalogue by `make schemas`: do not edit.

/** The message was published, or had been before (`duplicate`). */
export interface Accepted {
  offset: number;
  duplicate: boolean;
  warnings: Array<Warning>;
  /** The outcome message, where the command has ended. */
  outcome?: {
    [further: string]: any;
  } | null;
  [further: string]: any;
}

/** The agent's state. */
export interface AgentState {
  loginId: string;
  loginName: string;
  extension: string;
  firstName: string;
  lastName: string;
  teamName: string;
  roles: Array<string>;
  state: string;
  reasonCodeId: string | null;
  stateChangeTime: string;
  [further: string]: any;
}

/** The same failure as the command's outcome, for widgets that know only the documented family. */
export interface ApiError {
  packet: "apierror";
  data: ApiErrorData;
  [further: string]: any;
}

/** What went wrong, in the documented family's fields. */
export interface ApiErrorData {
  errorType: string;
  errorMessage: string;
  msg: string;
  [further: string]: any;
}

/** A call appeared, changed or ended. */
export interface CallStateChange {
  source: "event";
  call: CallView;
  [further: string]: any;
}

/** One call as its agent sees it. */
export interface CallView {
  id: string;
  /** The agent's own state in the call, in lower case. */
  event: string;
  CallType: string;
  ResponseType: number;
  ResponseText: string;
  /** Subtopics of the commands that the call allows now. */
  ActionsAllowed: Array<string>;
  /** The agent's call that this one was consulted from. */
  associatedCall: string | null;
  /** The call that was merged into this one. */
  secondaryId?: string | null;
  /** True in the event that removes the call, and only there. */
  ended: boolean;
  /** `dialog`: the whole dialog. */
  ResponseActual: {
    [further: string]: any;
  };
  [further: string]: any;
}

/** The command was carried out: the state shows it. */
export interface Completed {
  address: string;
  call?: string | null;
  consultCall?: string | null;
  [further: string]: any;
}

/** Whether call control sees the agent's calls. */
export interface ConnectionStatus {
  status: "connected" | "reconnecting" | "signed_out";
  /** RFC 3339, UTC, milliseconds. */
  since: string;
  /** Why, where a person should know: show it. */
  reason?: string | null;
  [further: string]: any;
}

/** Ask which rule decides, for this session. */
export interface Explain {
  action: "publish" | "subscribe";
  /** Where to publish, or the pattern to subscribe to. */
  address: string;
}

/** Reply to Explain. */
export interface Explained {
  allowed: boolean;
  /** The rule that decided. */
  rule: string;
  /** All rules that were asked, in their order, the deciding one last. */
  tried: Array<string>;
  [further: string]: any;
}

/** The command was not carried out. */
export interface Failed {
  address: string;
  call?: string | null;
  errorType: string;
  message: string;
  cause?: string | null;
  [further: string]: any;
}

/** One thing that is wrong in a message. */
export interface FieldProblem {
  pointer: string;
  code: string;
  message: string;
  hint?: string | null;
  [further: string]: any;
}

/** Have the agent's state published anew. */
export type GetAgentState = Record<string, never>;

/** Sign of life, with the position of the workspace's stream. */
export interface Heartbeat {
  epoch: string;
  offset: number;
  [further: string]: any;
}

/** Who the bridge takes the session for. */
export interface Identity {
  subject?: string | null;
  app: string;
  extension?: string | null;
  [further: string]: any;
}

/** What the session may use; 0 means no limit. */
export interface Limits {
  messageBytes: number;
  messagesPerSecond: number;
  subscriptions: number;
  [further: string]: any;
}

/** Sign the agent out. */
export interface Logout {
  ReasonCodeId?: string | null;
}

/** A customer's call rings at the workspace's agent. */
export interface Offer {
  /** The customer's number. */
  fromAddress: string;
  variables?: {
    [further: string]: string;
  } | null;
}

/** Bring the token: the first message of a client that did not bring it with the handshake. */
export interface Open {
  token: string;
}

/** The first message of every session. */
export interface Opened {
  protocol: "workspace-bridge.v1";
  session: string;
  workspace: string;
  identity: Identity;
  heartbeatSeconds: number;
  limits: Limits;
  server: Server;
  /** Until the session ends with 4402, unless it is refreshed. Only with authentication. */
  expiresInSeconds?: number | null;
  [further: string]: any;
}

/** A party of the workspace's calls answers; among several calls the one ringing longest. */
export interface PartyAnswer {
  address: string;
}

/** A party of the workspace's calls hangs up. */
export interface PartyDrop {
  address: string;
  CallID?: string | null;
}

/** Where a reconnecting client stopped reading. */
export interface Recover {
  epoch: string;
  offset: number;
}

/** Go on with a newer token, before the present one expires. */
export interface Refresh {
  token: string;
}

/** Reply to Refresh. */
export interface Refreshed {
  /** As in `Opened`. */
  expiresInSeconds?: number | null;
  /** Patterns that were subscribed and that the new token does not allow. */
  ended: Array<string>;
  [further: string]: any;
}

/** The message was refused and delivered to nobody. */
export interface Rejected {
  /** One of the documented codes. */
  code: string;
  message: string;
  /** Whether the same message may be accepted later. */
  temporary: boolean;
  /** Where the message would have gone, as far as it could be read. */
  address?: string | null;
  /** With `invalid_envelope` and `invalid_data`. */
  errors?: Array<FieldProblem> | null;
  /** With `malformed_json`; counts from 1. */
  line?: number | null;
  /** With `malformed_json`; counts from 1. */
  column?: number | null;
  /** With `rate_limited`. */
  retryAfterMs?: number | null;
  /** With `not_permitted`: the rule that decided. */
  rule?: string | null;
  /** With `unknown_address`: the nearest address that there is. */
  suggestion?: string | null;
  /** With `unknown_address`: what to know about it. */
  hint?: string | null;
  /** With `limit_exceeded`. */
  limit?: number | null;
  /** With `unknown_call`: ids of the agent's calls. */
  calls?: Array<string> | null;
  /** With `illegal_state`: the state that is in the way. */
  state?: string | null;
  /** With `illegal_state`: subtopics that the call allows now. */
  allowed?: Array<string> | null;
  [further: string]: any;
}

/** What serves the session. */
export interface Server {
  version: string;
  adapter: string;
  [further: string]: any;
}

/** Answer a ringing call. */
export interface SetAnswer {
  /** The agent's own extension. */
  MediaAddress: string;
  /** `call.id` of the call. */
  CallID: string;
}

/** Join a held call to the active one. `CallID` is the held call. */
export interface SetConference {
  /** The agent's own extension. */
  MediaAddress: string;
  /** `call.id` of the call. */
  CallID: string;
}

/** Put the active call on hold and call a colleague. */
export interface SetConsult {
  /** The agent's own extension. */
  MediaAddress: string;
  /** `call.id` of the call. */
  CallID: string;
  /** Whom to consult. */
  toAddress: string;
}

/** Leave a call; a call that still dials is cancelled. */
export interface SetDrop {
  /** The agent's own extension. */
  MediaAddress: string;
  /** `call.id` of the call. */
  CallID: string;
}

/** Put the active call on hold. */
export interface SetHold {
  /** The agent's own extension. */
  MediaAddress: string;
  /** `call.id` of the call. */
  CallID: string;
}

/** Call a number from the workspace's own extension. */
export interface SetMakeCall {
  /** Whom to call. */
  toAddress: string;
}

/** Make the agent not ready. */
export interface SetNotReadyState {
  ReasonCodeId?: string | null;
}

/** Make the agent ready for calls. */
export type SetReadyState = Record<string, never>;

/** Take a held call back. */
export interface SetRetrieve {
  /** The agent's own extension. */
  MediaAddress: string;
  /** `call.id` of the call. */
  CallID: string;
}

/** Send touch tones into the active call. */
export interface SetSendDtmf {
  /** The agent's own extension. */
  MediaAddress: string;
  /** `call.id` of the call. */
  CallID: string;
  /** 0-9, *, #, A-D */
  digits: string;
}

/** Connect a held call with the active one and leave. `CallID` is the held call. */
export interface SetTransfer {
  /** The agent's own extension. */
  MediaAddress: string;
  /** `call.id` of the call. */
  CallID: string;
}

/** Send the active call to another number, without talking to it first. */
export interface SetTransferSingleStep {
  /** The agent's own extension. */
  MediaAddress: string;
  /** `call.id` of the call. */
  CallID: string;
  /** Where the call goes. */
  toAddress: string;
}

/** Set call variables. */
export interface SetUpdateCallData {
  /** `call.id` of the call. */
  CallID: string;
  /** Call variables by name, such as `callVariable1` or `user.orderNumber`. */
  callVariables: {
    [further: string]: string;
  };
}

/** Sign the agent in. Goes to call control only: it is never delivered, stored or logged. */
export interface SetUserInfo {
  username: string;
  /** Either this or `token`. */
  password?: string | null;
  /** An SSO access token, instead of `password`. */
  token?: string | null;
  extension: string;
}

/** Ask what became of a command, without acting. */
export interface Status {
  id: string;
}

/** What is known of a command. */
export interface StatusReply {
  known: boolean;
  offset?: number | null;
  outcome?: {
    [further: string]: any;
  } | null;
  [further: string]: any;
}

/** Deliver what matches these patterns from now on; with `recover`, also what came since then. */
export interface Subscribe {
  /** Such as `Cisco/InboundCall` or `Cisco/* /SetHOLD`. */
  patterns: Array<string>;
  /** Deliver the session's own messages to it too. The last value counts. */
  echo?: boolean | null;
  /** Epoch and offset of the last message that was read. */
  recover?: Recover | null;
}

/** Reply to Subscribe; registered in the same step. */
export interface Subscribed {
  patterns: Array<string>;
  epoch: string;
  offset: number;
  /** Only in answers to `recover`. */
  recovered?: boolean | null;
  /** Only in answers to `recover`. */
  messages?: Array<{
    [further: string]: any;
  }> | null;
  snapshot: Array<{
    [further: string]: any;
  }>;
  [further: string]: any;
}

/** Nothing is known of the command; the state was read afresh and published before this. */
export interface TimedOut {
  address: string;
  call?: string | null;
  afterMs: number;
  [further: string]: any;
}

/** Cease to deliver what matches these patterns. Unknown ones are ignored. */
export interface Unsubscribe {
  patterns: Array<string>;
}

/** Reply to Unsubscribe. */
export interface Unsubscribed {
  patterns: Array<string>;
  [further: string]: any;
}

/** One repair that was made. */
export interface Warning {
  pointer: string;
  message: string;
  [further: string]: any;
}

/** What may be sent with `command`, by address. */
export interface Commands {
  "Cisco/InboundCall/SetCONSULT": SetConsult;
  "Cisco/InboundCall/SetCONSULT_CALL": SetConsult;
  "Cisco/InboundCall/SetCONFERENCE": SetConference;
  "Cisco/InboundCall/SetTRANSFER": SetTransfer;
  "Cisco/InboundCall/SetTRANSFER_SST": SetTransferSingleStep;
  "Cisco/InboundCall/SetANSWER": SetAnswer;
  "Cisco/InboundCall/SetHOLD": SetHold;
  "Cisco/InboundCall/SetRETRIEVE": SetRetrieve;
  "Cisco/InboundCall/SetDROP": SetDrop;
  "Cisco/InboundCall/SetSEND_DTMF": SetSendDtmf;
  "Cisco/InboundCall/SetMakeCall": SetMakeCall;
  "Cisco/InboundCall/SetUPDATE_CALL_DATA": SetUpdateCallData;
  "Cisco/OutboundCall/SetCONSULT": SetConsult;
  "Cisco/OutboundCall/SetCONSULT_CALL": SetConsult;
  "Cisco/OutboundCall/SetCONFERENCE": SetConference;
  "Cisco/OutboundCall/SetTRANSFER": SetTransfer;
  "Cisco/OutboundCall/SetTRANSFER_SST": SetTransferSingleStep;
  "Cisco/OutboundCall/SetANSWER": SetAnswer;
  "Cisco/OutboundCall/SetHOLD": SetHold;
  "Cisco/OutboundCall/SetRETRIEVE": SetRetrieve;
  "Cisco/OutboundCall/SetDROP": SetDrop;
  "Cisco/OutboundCall/SetSEND_DTMF": SetSendDtmf;
  "Cisco/OutboundCall/SetMakeCall": SetMakeCall;
  "Cisco/OutboundCall/SetUPDATE_CALL_DATA": SetUpdateCallData;
  "Cisco/Agent/SetUserInfo": SetUserInfo;
  "Cisco/Agent/SetReadyState": SetReadyState;
  "Cisco/Agent/SetNotReadyState": SetNotReadyState;
  "Cisco/Agent/GetAgentState": GetAgentState;
  "Cisco/Connection/Logout": Logout;
  "Simulator/Call/Offer": Offer;
  "Simulator/Party/Answer": PartyAnswer;
  "Simulator/Party/Drop": PartyDrop;
}

/** What subscribers get, by address: events and commands. */
export interface Catalogue {
  "Bridge/Command/Completed": Completed;
  "Bridge/Command/Failed": Failed;
  "Bridge/Command/TimedOut": TimedOut;
  "Cisco/InboundCall/SetCONSULT": SetConsult;
  "Cisco/InboundCall/SetCONSULT_CALL": SetConsult;
  "Cisco/InboundCall/SetCONFERENCE": SetConference;
  "Cisco/InboundCall/SetTRANSFER": SetTransfer;
  "Cisco/InboundCall/SetTRANSFER_SST": SetTransferSingleStep;
  "Cisco/InboundCall/SetANSWER": SetAnswer;
  "Cisco/InboundCall/SetHOLD": SetHold;
  "Cisco/InboundCall/SetRETRIEVE": SetRetrieve;
  "Cisco/InboundCall/SetDROP": SetDrop;
  "Cisco/InboundCall/SetSEND_DTMF": SetSendDtmf;
  "Cisco/InboundCall/SetMakeCall": SetMakeCall;
  "Cisco/InboundCall/SetUPDATE_CALL_DATA": SetUpdateCallData;
  "Cisco/OutboundCall/SetCONSULT": SetConsult;
  "Cisco/OutboundCall/SetCONSULT_CALL": SetConsult;
  "Cisco/OutboundCall/SetCONFERENCE": SetConference;
  "Cisco/OutboundCall/SetTRANSFER": SetTransfer;
  "Cisco/OutboundCall/SetTRANSFER_SST": SetTransferSingleStep;
  "Cisco/OutboundCall/SetANSWER": SetAnswer;
  "Cisco/OutboundCall/SetHOLD": SetHold;
  "Cisco/OutboundCall/SetRETRIEVE": SetRetrieve;
  "Cisco/OutboundCall/SetDROP": SetDrop;
  "Cisco/OutboundCall/SetSEND_DTMF": SetSendDtmf;
  "Cisco/OutboundCall/SetMakeCall": SetMakeCall;
  "Cisco/OutboundCall/SetUPDATE_CALL_DATA": SetUpdateCallData;
  "Cisco/Agent/SetUserInfo": SetUserInfo;
  "Cisco/Agent/SetReadyState": SetReadyState;
  "Cisco/Agent/SetNotReadyState": SetNotReadyState;
  "Cisco/Agent/GetAgentState": GetAgentState;
  "Cisco/Connection/Logout": Logout;
  "Cisco/InboundCall/InboundCallStateChange": CallStateChange;
  "Cisco/OutboundCall/OutBoundCallStateChange": CallStateChange;
  "Cisco/Agent/SetAgentState": AgentState;
  "Cisco/Connection/SetConnectionStatus": ConnectionStatus;
  "Cisco/Error/SetAPIError": ApiError;
  "Simulator/Call/Offer": Offer;
  "Simulator/Party/Answer": PartyAnswer;
  "Simulator/Party/Drop": PartyDrop;
}

/** What may be asked of the bridge itself, by address. */
export interface Controls {
  "Bridge/Session/Open": Open;
  "Bridge/Session/Refresh": Refresh;
  "Bridge/Subscription/Subscribe": Subscribe;
  "Bridge/Subscription/Unsubscribe": Unsubscribe;
  "Bridge/Command/Status": Status;
  "Bridge/Policy/Explain": Explain;
}

/** What the bridge answers. */
export interface Replies {
  "Bridge/Command/Status.reply": StatusReply;
  "Bridge/Session/Opened": Opened;
  "Bridge/Session/Refreshed": Refreshed;
  "Bridge/Policy/Explained": Explained;
  "Bridge/Session/Heartbeat": Heartbeat;
  "Bridge/Subscription/Subscribed": Subscribed;
  "Bridge/Subscription/Unsubscribed": Unsubscribed;
  "Bridge/Message/Accepted": Accepted;
  "Bridge/Message/Rejected": Rejected;
}
