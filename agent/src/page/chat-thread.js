// A conversation: what was said, and what waits for its answer. A message keeps its key and is sent again with it after a break,
// so the robot carries it out once.

import { ask, newId, query } from './ask.js';
import { createAnswer, mine } from './chat-bubble.js';

/** Bytes of one message on the socket, its frame included. */
const FRAME_BYTES_MAX = 16 * 1024;
const PAGE = 500;
/** Turns of the past that are shown. */
const PAST = 100;
/** This close to its end, the list follows what is said. */
const NEAR_PX = 60;

/** The newest turns of a conversation, oldest first: they are read from the beginning on. */
async function lastTurns(id) {
  let turns = [];
  let cursor = null;
  do {
    const answer = await ask('GET', `conversations/${encodeURIComponent(id)}${query({ limit: PAGE, cursor })}`);
    if (!answer.ok) return answer;
    turns = [...turns, ...answer.body].slice(-PAST);
    cursor = answer.next;
  } while (cursor);
  return { ok: true, body: turns };
}

function pastTurn({ sender, message_text, timestamp, mood_at_time }) {
  if (sender === 'user') return mine(message_text, timestamp);
  const answer = createAnswer();
  answer.done({ reply: message_text, mood: mood_at_time }, timestamp);
  return answer.node;
}

/** Shows a conversation in `log`; `send(message)` puts one on the wire, if there is a wire. */
export function createThread({ log, send }) {
  const waiting = new Map(); // key -> message without an answer
  let current = { id: null }; // no id: the next message begins a conversation

  /** Changes the list, and stays at its end if it was there. */
  function follow(change) {
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
    change();
    if (isAtEnd) log.scrollTop = log.scrollHeight;
  }

  function deliver(message) {
    waiting.set(message.body.chat.key, message);
    message.answer.begin();
    send(message.body);
  }

  return {
    isWaiting: () => waiting.size > 0,

    /** Says something. Gives back what is wrong with it, or nothing. */
    say(text) {
      const body = { chat: { message: text, conversation_id: current.id ?? undefined, key: newId() } };
      const bytes = new TextEncoder().encode(JSON.stringify(body)).length;
      if (bytes > FRAME_BYTES_MAX) return `This is too long by ${bytes - FRAME_BYTES_MAX} bytes.`;
      const answer = createAnswer();
      log.append(mine(text, new Date().toISOString()), answer.node);
      deliver({ body, answer, thread: current });
      log.scrollTop = log.scrollHeight;
      return null;
    },

    /** An event on the way to the answer of message `key`. */
    hear(type, data, key) {
      const message = waiting.get(key);
      if (!message) return;
      const { answer, thread } = message;
      if (type === 'done' || type === 'error') waiting.delete(key);
      if (type === 'done') thread.id ??= data.conversation_id;
      follow(() => {
        if (type === 'error') answer.error(data, () => deliver(message));
        else answer[type]?.(data);
      });
    },

    sendAgain: () => [...waiting.values()].forEach(deliver),

    /** Leaves this conversation; what is said next begins another. */
    begin() {
      current = { id: null };
      log.replaceChildren();
    },

    /** Goes on with the newest conversation. Gives back what went wrong, or nothing. */
    async readLast() {
      const mark = current;
      const newest = await ask('GET', `conversations${query({ limit: 1 })}`);
      if (!newest.ok) return newest.detail;
      const id = newest.body[0]?.id;
      if (!id) return null;
      const turns = await lastTurns(id);
      if (!turns.ok) return turns.detail;
      // Somebody began another one meanwhile.
      if (mark !== current || log.firstChild) return null;
      current.id = id;
      // Old news is not read out.
      log.ariaLive = 'off';
      log.append(...turns.body.map(pastTurn));
      log.scrollTop = log.scrollHeight;
      setTimeout(() => (log.ariaLive = 'polite'), 100);
      return null;
    },
  };
}
