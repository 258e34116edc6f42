// The robot's words in a person's words. Only text: decides nothing.

export const $ = (id) => document.getElementById(id);

export const CLASS = { local: 'beside the robot', remote: 'from elsewhere', autonomy: 'a program', ai: 'AI' };

export const CLOSED = {
  starting: 'the body is still starting', restart: 'the agent restarted unexpectedly',
  'tick-gap': 'the agent froze for a moment', hold: 'the body heard nothing and stopped itself',
  'link-lost': 'the wire to the body went silent', 'mcu-reset': 'the body’s controller restarted',
  'mcu-fault': 'the body reports a fault', estop: 'the e-stop was pressed', // a stop says itself who pressed
};

export const SLOWED = {
  'range-stale': 'a range sensor is silent', obstacle: 'something is near', 'link-slow': 'the wire to the body is slow',
  'battery-low': 'the battery is low', 'no-range': 'there are no range sensors',
};

/** "0.4 s", "12 s", "3 min" */
export function span(ms) {
  if (!Number.isFinite(ms)) return 'unknown';
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120000) return `${Math.round(ms / 1000)} s`;
  return ms < 7200000 ? `${Math.round(ms / 60000)} min` : `${Math.round(ms / 3600000)} h`;
}

export const radians = (value) => value * Math.PI / 180;
export const degrees = (rad) => Math.round(rad * 180 / Math.PI);

/** "30° left", "30° right", "ahead" */
export function side(rad, plus = 'left', minus = 'right', zero = 'ahead') {
  const value = degrees(rad);
  return value === 0 ? zero : `${Math.abs(value)}° ${value > 0 ? plus : minus}`;
}
