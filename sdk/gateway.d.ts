import type { Bridge } from "./workspace-bridge.js";

/** Who may speak through the gateway. */
export interface GadgetOptions {
  /** Exactly as browsers write it, such as `https://notes.example.com`. */
  origin: string;
  /** The `source` of everything that it publishes. */
  app: string;
  /** Patterns of addresses; none where left out. */
  publish?: readonly string[];
  /** Patterns of addresses; none where left out. */
  subscribe?: readonly string[];
  /** 50 where left out; twice as many at once. */
  messagesPerSecond?: number;
}

export interface GatewayOptions {
  /** What `connect()` gave. */
  bridge: Bridge;
  gadgets: readonly GadgetOptions[];
  /** The window that the gadgets' frames stand in; this one where left out. */
  target?: Window;
}

/** What happened between one listed origin and the bus. */
export interface GadgetCounters {
  app: string;
  /** Frames that are known now. */
  windows: number;
  /** Messages that were taken. */
  accepted: number;
  /** By code. */
  refused: Record<string, number>;
  /** Refused without an answer, because too many had been answered. */
  muted: number;
  /** Messages of the stream, outcomes included. */
  delivered: number;
  /** The gadget's own messages, which it did not ask to have back. */
  withheld: number;
  /** Messages of other libraries. */
  ignored: number;
}

export interface Counters {
  /** Messages of windows that are not listed; they were not looked at. */
  strangers: number;
  /** By origin. */
  gadgets: Record<string, GadgetCounters>;
}

export interface Gateway {
  close(): void;
  /** A copy of the present figures. */
  readonly counters: Counters;
}

/**
 * Open the way between the bridge and the gadgets in this page's frames. Throws a `TypeError` that says which option
 * is wrong, and why.
 */
export function openGateway(options: GatewayOptions): Gateway;
