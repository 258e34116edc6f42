// Draws the room: a metre grid, the path so far, what the range sensors hit, and the robot. It knows no map:
// every dot is a reading of a sensor. Old news is drawn pale, and nothing is drawn ahead of what the robot said.

import { onState, robot, shownAge } from './state.js';
import { side } from './words.js';

const STEP_M = 0.02;
const PATH_MAX = 4000;
const HIT_CELL_M = 0.04;
const HITS_MAX = 6000;
const FRESH_MS = 200;
const BODY_M = 0.12; // half length; rays begin there
const SPAN_M_MIN = 2.6;
const calm = matchMedia('(prefers-reduced-motion: reduce)');

export function startRoom(canvas) {
  const paint = canvas.getContext('2d');
  const path = [];
  const hits = new Map();
  let run = null;
  let shown = null; // pose on the screen
  let camera = null;
  const colours = {};
  let size = { width: 0, height: 0 };
  let asked = 0;

  const ask = () => {
    asked ||= requestAnimationFrame(draw);
  };

  function readColours() {
    const style = getComputedStyle(canvas);
    for (const name of ['ink', 'soft', 'line', 'accent', 'card', 'hit', 'path', 'red']) colours[name] = style.getPropertyValue(`--${name}`);
  }

  function remember(state) {
    if (state.seen.run !== run) {
      run = state.seen.run; // odometry began anew, so the old picture means nothing
      path.length = 0;
      hits.clear();
      shown = camera = null;
    }
    const { x_m: x, y_m: y, heading_rad: heading } = state.base.pose;
    const last = path.at(-1);
    if (!last || Math.hypot(x - last.x, y - last.y) > STEP_M) path.push({ x, y });
    if (path.length > PATH_MAX) path.splice(0, PATH_MAX / 4);
    for (const { far, turn } of rays(state)) {
      if (far === null) continue;
      const away = BODY_M + far;
      const hit = { x: x + away * Math.cos(heading + turn), y: y + away * Math.sin(heading + turn) };
      const key = `${Math.round(hit.x / HIT_CELL_M)},${Math.round(hit.y / HIT_CELL_M)}`;
      hits.delete(key);
      hits.set(key, hit);
      if (hits.size > HITS_MAX) hits.delete(hits.keys().next().value);
    }
  }

  /** Where the picture should be: everything known, with air around it. */
  function aim() {
    const { x_m, y_m } = robot.state.base.pose;
    let [left, right, low, high] = [y_m, y_m, x_m, x_m];
    for (const { x, y } of [...path, ...hits.values()]) {
      left = Math.max(left, y);
      right = Math.min(right, y);
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    const across = Math.max(SPAN_M_MIN, left - right + 0.7);
    const along = Math.max(SPAN_M_MIN, high - low + 0.7);
    const scale = Math.max(24, Math.min(size.width / across, size.height / along));
    return { x: (low + high) / 2, y: (left + right) / 2, scale };
  }

  /** World to screen: the direction the robot faced at start is up. */
  const at = (x, y) => [size.width / 2 - (y - camera.y) * camera.scale, size.height / 2 - (x - camera.x) * camera.scale];

  function line(points, colour, width) {
    paint.beginPath();
    points.forEach(([x, y], index) => (index ? paint.lineTo(x, y) : paint.moveTo(x, y)));
    paint.strokeStyle = colour;
    paint.lineWidth = width;
    paint.stroke();
  }

  function blob(colour, shape, ...numbers) {
    paint.beginPath();
    paint[shape](...numbers);
    paint.fillStyle = colour;
    paint.fill();
  }

  function drawGrid() {
    const half = { x: size.height / 2 / camera.scale, y: size.width / 2 / camera.scale };
    paint.font = '12px system-ui';
    paint.fillStyle = colours.soft;
    for (let y = Math.ceil(camera.y - half.y); y <= camera.y + half.y; y++) {
      const [px] = at(0, y);
      line([[px, 0], [px, size.height]], colours.line, y === 0 ? 1.6 : 0.8);
      if (px > 40 && px < size.width - 130) paint.fillText(metres(-y), px + 4, size.height - 6);
    }
    for (let x = Math.ceil(camera.x - half.x); x <= camera.x + half.x; x++) {
      const [, py] = at(x, 0);
      line([[0, py], [size.width, py]], colours.line, x === 0 ? 1.6 : 0.8);
      if (py < size.height - 24) paint.fillText(metres(x), 5, py - 4);
    }
  }

  function drawHits() {
    const dot = Math.max(2, camera.scale * 0.022);
    for (const { x, y } of hits.values()) blob(colours.hit, 'arc', ...at(x, y), dot, 0, 7);
  }

  function drawRays() {
    for (const { far, turn } of rays(robot.state)) {
      const fresh = far !== null;
      const heading = shown.heading + turn;
      const ray = (away) => at(shown.x + away * Math.cos(heading), shown.y + away * Math.sin(heading));
      const end = ray(BODY_M + (far ?? 0.5));
      paint.setLineDash(fresh ? [] : [3, 5]);
      line([ray(BODY_M), end], fresh ? colours.accent : colours.soft, 1.5);
      paint.setLineDash([]);
      if (!fresh) continue;
      blob(colours.accent, 'arc', ...end, 4, 0, 7);
      if (far * camera.scale < 60) continue;
      const [px, py] = ray(BODY_M + far / 2);
      paint.fillStyle = colours.ink;
      paint.fillText(`${far.toFixed(2)} m`, px + 8, py - 8);
    }
  }

  function drawRobot() {
    const { head, lights, estop, base } = robot.state;
    const [px, py] = at(shown.x, shown.y);
    const unit = Math.max(camera.scale * BODY_M, 13);
    paint.save();
    paint.translate(px, py);
    if (lights?.on && lights.brightness > 0) {
      const glow = paint.createRadialGradient(0, 0, unit * 0.6, 0, 0, unit * 2.6);
      glow.addColorStop(0, `${lights.color}${Math.round(40 + lights.brightness * 110).toString(16)}`);
      glow.addColorStop(1, `${lights.color}00`);
      paint.fillStyle = glow;
      paint.fillRect(-unit * 3, -unit * 3, unit * 6, unit * 6);
    }
    paint.rotate(-shown.heading); // up is ahead; counter-clockwise is negative on a canvas
    paint.scale(unit, unit);
    for (const x of [-1.08, 0.76]) blob(colours.ink, 'roundRect', x, -0.45, 0.32, 0.9, 0.14); // wheels
    paint.globalAlpha *= base.closed && !estop?.latched ? 0.55 : 1;
    blob(estop?.latched ? colours.red : colours.accent, 'roundRect', -0.82, -1, 1.64, 2, 0.6);
    paint.rotate(-(head?.pan_rad ?? 0));
    blob(colours.card, 'roundRect', -0.5, -0.62, 1, 0.72, 0.3);
    for (const x of [-0.22, 0.22]) blob(colours.ink, 'arc', x, -0.32, 0.1, 0, 7); // eyes
    paint.restore();
  }

  function draw() {
    asked = 0;
    paint.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    paint.clearRect(0, 0, size.width, size.height);
    if (!robot.state || size.width === 0) return;
    readColours();
    const pose = robot.state.base.pose;
    const goal = { x: pose.x_m, y: pose.y_m, heading: pose.heading_rad };
    const frame = aim();
    const rest = ease(goal, frame);
    paint.globalAlpha = shownAge() > 1000 ? 0.4 : 1;
    drawGrid();
    drawHits();
    const way = [...path.map(({ x, y }) => at(x, y)), at(shown.x, shown.y)];
    paint.lineJoin = paint.lineCap = 'round';
    line(way, colours.path, 2.5);
    drawRays();
    drawRobot();
    if (!rest) ask();
  }

  /** Glides towards the newest pose so that 10 pictures a second look like one motion. True when there. */
  function ease(goal, frame) {
    if (!shown || !camera || calm.matches) {
      shown = goal;
      camera = frame;
      return true;
    }
    const part = 0.22;
    const turn = Math.atan2(Math.sin(goal.heading - shown.heading), Math.cos(goal.heading - shown.heading));
    shown = { x: shown.x + (goal.x - shown.x) * part, y: shown.y + (goal.y - shown.y) * part, heading: shown.heading + turn * part };
    for (const key of ['x', 'y', 'scale']) camera[key] += (frame[key] - camera[key]) * part / 2;
    return Math.hypot(goal.x - shown.x, goal.y - shown.y) + Math.abs(turn) < 0.002
      && Math.abs(frame.scale - camera.scale) < 0.2 && Math.hypot(frame.x - camera.x, frame.y - camera.y) < 0.004;
  }

  new ResizeObserver(() => {
    size = { width: canvas.clientWidth, height: canvas.clientHeight };
    canvas.width = size.width * devicePixelRatio;
    canvas.height = size.height * devicePixelRatio;
    camera = null;
    ask();
  }).observe(canvas);
  onState((state) => {
    if (state) remember(state);
    ask();
  });
  setInterval(() => {
    if (!robot.state) return;
    if (shownAge() > 1000) ask();
    canvas.ariaLabel = describe(robot.state);
  }, 1000);
}

const metres = (value) => `${value} m`.replace('-', '−');

/** What the range sensors that there are say; `far` is null when that is nothing, or old. */
const rays = ({ sensors }) => [['range_front', 0, 'ahead'], ['range_rear', Math.PI, 'behind']]
  .filter(([id]) => sensors[id])
  .map(([id, turn, name]) => ({ turn, name, far: sensors[id].age_ms <= FRESH_MS ? sensors[id].value : null }));

/** The picture in words. */
function describe(state) {
  const { x_m, y_m, heading_rad } = state.base.pose;
  const free = rays(state).filter(({ far }) => far !== null).map(({ far, name }) => `${far.toFixed(1)} m free ${name}`);
  return [`Robot ${x_m.toFixed(1)} m ahead and ${y_m.toFixed(1)} m left of its start, turned ${side(heading_rad, 'left', 'right', 'straight')}`, ...free].join('; ');
}
