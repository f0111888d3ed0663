// Written by siotypes; not to be edited.

/** Failure is called like what siotypes writes itself. */
export interface Failure2 {
  Reason: string;
}

/** Kind is what a message is. */
export type Kind = "text" | "image";

/** Level has numbers for values. */
export type Level = 1 | 2;

/**
 * Message is what people send.
 * It ends here: *​/ and goes on.
 */
export interface Message {
  id: string;
  created: string;
  kind: Kind;
  level?: Level;
  /** what they wrote */
  text?: string;
  parent: Message | null;
  reply?: Message;
  tags: string[];
  names: (string | null)[];
  counts: Record<string, number>;
  point: [number, number];
  data: Binary | null;
  Chunks: (Binary | null)[];
  Digest: string;
  ttl: number;
  huge: number | null;
  exact: string;
  price: number;
  from: string;
  extra: unknown;
  "is-it": boolean;
  Nested: {
    X: number;
    Y: number;
  };
  Tree: Record<string, unknown>;
}

/** Page is generic. */
export interface PageMessage {
  items: Message[];
  next: number;
}

/** Page is generic. */
export interface PageString {
  items: string[];
  next: number;
}

/**
 * Record is called like one of TypeScript's own types, and may hold nothing of
 * what it embeds.
 */
export interface Record2 {
  id?: string;
  created?: string;
  Failure: Failure2;
  Values: Record<string, number>;
}

/** Binary data: an ArrayBuffer in browsers, a Buffer in Node. */
export type Binary = ArrayBuffer | Uint8Array;

/** What the acknowledgement of a call holds instead of a reply if the call failed. */
export interface Failure {
  error: { message: string; data?: unknown };
}

/** What clients send and the server handles. */
export interface ClientToServerEvents {
  bye: (ack: (failure?: Failure) => void) => void;
  /** Chat goes both ways. */
  chat: (value: Message) => void;
  "list/all~": (value: PageString, ack: (value: PageMessage | Failure) => void) => void;
  log: (a: Level, ...rest: (number | null)[]) => void;
  many: (ack: (...rest: (number | Failure)[]) => void) => void;
  sum: (...args: [...rest: number[], ack: (value: number | Failure) => void]) => void;
}

/** What the server sends and clients handle. */
export interface ServerToClientEvents {
  /** Chat goes both ways. */
  chat: (value: Message) => void;
  confirm: (value: string, ack: (value: boolean | Failure) => void) => void;
  moved: (a: string, b: number) => void;
  "ping pong": () => void;
  saved: (value: Record2) => void;
  three: (a: boolean, b: Binary | null, c: number) => void;
}
