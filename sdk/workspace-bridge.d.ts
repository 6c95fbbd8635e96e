import type { Catalogue, Commands } from "./messages.d.ts";

export type * from "./messages.d.ts";

/** A message as it stands on the wire. `Data` is the body. */
export interface Message<Data = any> {
  channel: string;
  topic: string;
  subtopic: string;
  data: Data;
  source?: string;
  /** Names the message: makes it idempotent, and answered. */
  id?: string;
  /** When the bridge accepted it: RFC 3339, UTC, milliseconds. */
  time?: string;
  /** Position in the workspace's stream; control messages have none. */
  offset?: number;
  /** `id` of the message that caused this one. */
  correlationId?: string;
}

/** A message of the workspace's stream. */
export interface Delivered<Data = any> extends Message<Data> {
  source: string;
  id: string;
  time: string;
  offset: number;
}

type Split<Address extends string> = Address extends `${infer C}/${infer T}/${infer S}` ? [C, T, S]
  : Address extends `${infer C}/${infer T}` ? [C, T, "*"]
  : [Address, "*", "*"];
type Fits<Segment, Wanted> = Wanted extends "*" ? true : Segment extends Wanted ? true : false;
type FitsAll<A, P> = [A, P] extends [[infer C, infer T, infer S], [infer PC, infer PT, infer PS]]
  ? [Fits<C, PC>, Fits<T, PT>, Fits<S, PS>] extends [true, true, true] ? true : false
  : false;

/** The message of the catalogue at one address. */
export type MessageAt<Address extends keyof Catalogue> = Delivered<Catalogue[Address]> & {
  channel: Split<Address>[0];
  topic: Split<Address>[1];
  subtopic: Split<Address>[2];
};

type Catalogued<Pattern extends string> = {
  [Address in keyof Catalogue]: FitsAll<Split<Address>, Split<Pattern>> extends true ? MessageAt<Address> : never;
}[keyof Catalogue];

/** What a pattern brings: messages of the catalogue with their types, others with any data. */
export type Matching<Pattern extends string> = string extends Pattern ? Delivered
  : Split<Pattern>[0] extends "*" ? Delivered
  : [Catalogued<Pattern>] extends [never] ? Delivered : Catalogued<Pattern>;

type DataFor<C extends string, T extends string, S extends string> =
  `${C}/${T}/${S}` extends keyof Commands ? Commands[`${C}/${T}/${S}`] : unknown;
type NeedsData<Data> = {} extends Data ? { data?: Data | null } : { data: Data };

/** A message to be sent: those of the catalogue are checked, free channels take any JSON. */
export type Outgoing<C extends string, T extends string, S extends string> = {
  channel: C;
  topic: T;
  subtopic: S;
  source?: string;
  id?: string;
} & NeedsData<DataFor<C, T, S>>;

export type State = "connecting" | "open" | "waiting" | "failing" | "closed";

export interface StateChange {
  /** `failing`: three tries, and never a session. It stays until there is one. */
  state: State;
  /** The close code, 1006 where there was none. */
  code?: number;
  /** In words. */
  reason: string;
  retryInMs?: number;
  attempt?: number;
  /** With `failing`: what may be the matter, in words. */
  causes?: string[];
}

/** On which way a message came. `control`: outside the stream. */
export type Via = "control" | "snapshot" | "recovered" | "live";

export interface Joined {
  /** True: `messages` are exactly those that were missed. False: they are the snapshot, what is now. */
  recovered: boolean;
  /** Whether this subscription had joined before. */
  again: boolean;
  /** Whether the stream is the one that was read before; if not, ids and outcomes are gone with the old one. */
  sameEpoch: boolean;
  epoch: string;
  offset: number;
  messages: Delivered[];
}

export interface SubscribeOptions {
  /** Deliver this connection's own messages too. */
  echo?: boolean;
  /** After each (re)connect, before its messages are handed to the listener. */
  onJoined?: (joined: Joined) => void;
  /** The bridge does not allow it, now or any more; without this the error is reported. */
  onRefused?: (error: BridgeError) => void;
}

export interface Accepted {
  id: string;
  duplicate: boolean;
  warnings: { pointer: string; message: string }[];
  /** Absent where the outcome was recovered and the acceptance was not. */
  offset?: number;
}

export interface Outcome {
  address: string;
  call?: string | null;
  consultCall?: string | null;
}

/** A command under way: a promise of its outcome. */
export interface Run extends Promise<Outcome> {
  readonly id: string;
  readonly accepted: Promise<Accepted>;
}

export type Token = string | (() => string | Promise<string>);

export interface ConnectOptions {
  /** WebSocket URL; by default `/ws` of the host that this module came from. */
  url?: string | URL;
  workspace?: string;
  app?: string;
  /** A token, or a function that gives one: asked for each connection, and before the present one expires. */
  token?: Token;
  /** By default the platform's own. */
  WebSocket?: new (url: string, protocols: string[]) => any;
  /** One socket for all widgets of this origin with equal url, workspace, app and token. */
  shared?: boolean;
  /** Of this page's own origin. */
  workerUrl?: string | URL;
  /** Called from the first attempt on. */
  onState?: (change: StateChange) => void;
}

export interface BridgeEvents {
  state: CustomEvent<StateChange>;
  message: CustomEvent<{ message: Message; via: Via }>;
}

export interface Bridge extends EventTarget {
  readonly state: State;
  /** Data of the last `Opened`. */
  readonly opened: any;
  /** How far the stream was read. */
  readonly position: { epoch: string; offset: number } | undefined;

  /** Snapshot first, then live. Gives a function that ends it. */
  subscribe<const P extends string>(
    patterns: P | readonly P[],
    listener: (message: Matching<P>, how: { via: Exclude<Via, "control"> }) => void,
    options?: SubscribeOptions,
  ): () => void;
  /** Resolves when the bridge has accepted it. */
  publish<C extends string, T extends string, S extends string>(message: Outgoing<C, T, S>): Promise<Accepted>;
  /** Resolves when the command is completed. */
  command<C extends string, T extends string, S extends string>(message: Outgoing<C, T, S>): Run;
  /** Any control message that has one reply. */
  request(message: { channel: "Bridge"; topic: string; subtopic: string; data?: any; id?: string }): Promise<Message>;
  /** Connect anew, now. */
  reconnect(): void;
  close(): Promise<void>;

  addEventListener<K extends keyof BridgeEvents>(
    type: K, listener: (event: BridgeEvents[K]) => void, options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions,
  ): void;
}

/** Resolves with the first session; keeps trying while the bridge cannot be reached. */
export function connect(options?: ConnectOptions): Promise<Bridge>;

export class BridgeError extends Error {
  /** A word such as `offline`, or the number of the close that ended the session. */
  code: string | number;
  /** What the bridge said: the body of `Rejected`, `Failed` or `TimedOut`. */
  body?: any;
  /** Of the message that it is about. */
  id?: string;
  /** Whether the same may go well later. */
  temporary: boolean;
  constructor(code: string | number, message: string, id?: string, body?: any, temporary?: boolean);
}
