// Pictures drawn here, so that nothing is fetched from elsewhere: posts, faces, icons. The same name always looks the same.

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A small number made of a text; the same one every time. */
function seed(text) {
  let number = 2166136261;
  for (const letter of text) number = Math.imul(number ^ letter.codePointAt(0), 16777619);
  return number >>> 0;
}

/** Numbers between 0 and 1 that follow from a seed. */
function dice(number) {
  let state = number || 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9;
    return ((state ^ (state >>> 13)) >>> 0) / 4294967296;
  };
}

const PALETTES = [
  ["#fbd3b9", "#f28482", "#b5446e", "#5c8d6d", "#fff1dc"],
  ["#cfe8e1", "#6fb3a2", "#2f6f73", "#f2b15f", "#fdf6e9"],
  ["#e3d9f5", "#9d8bd6", "#5b4bb7", "#f0a6b8", "#fff7fb"],
  ["#fbe6a8", "#f3b23e", "#d0683a", "#6b8f4e", "#fffaf0"],
  ["#cfe0f5", "#7aa7dc", "#345d9d", "#f2c7a5", "#f8fbff"],
];

const MOTIFS = [flowers, hills, stems];

/** The picture of a post, reel or story. */
export function picture(media, tall = false) {
  const roll = dice(seed(media.id));
  const palette = PALETTES[Math.floor(roll() * PALETTES.length)];
  const motif = MOTIFS[Math.floor(roll() * MOTIFS.length)];
  const height = tall ? 720 : 400;
  const id = `sky-${media.id}-${tall ? "t" : "s"}`;
  const sky = svg(
    "linearGradient",
    { id, x1: "0", y1: "0", x2: "0.35", y2: "1" },
    svg("stop", { offset: "0", "stop-color": palette[4] }),
    svg("stop", { offset: "1", "stop-color": palette[0] }),
  );
  return svg(
    "svg",
    { viewBox: `0 0 400 ${height}`, preserveAspectRatio: "xMidYMid slice", "aria-hidden": "true" },
    svg("defs", {}, sky),
    svg("rect", { width: 400, height, fill: `url(#${id})` }),
    ...motif(roll, palette, height),
  );
}

function flowers(roll, [, petal, heart, leaf, light], height) {
  const shapes = [];
  for (let number = 0; number < 7; number += 1) {
    const x = 60 + number * 47 + roll() * 20;
    const y = height * (0.32 + roll() * 0.34);
    const size = 22 + roll() * 18;
    shapes.push(
      svg("path", {
        d: `M${x} ${y}Q${(x + 200) / 2} ${height * 0.8} 200 ${height}`,
        stroke: leaf,
        "stroke-width": 5,
        fill: "none",
      }),
    );
    for (let turn = 0; turn < 6; turn += 1) {
      const angle = (turn / 6) * 2 * Math.PI;
      shapes.push(
        svg("circle", {
          cx: x + Math.cos(angle) * size * 0.7,
          cy: y + Math.sin(angle) * size * 0.7,
          r: size * 0.52,
          fill: number % 3 === 1 ? light : petal,
        }),
      );
    }
    shapes.push(svg("circle", { cx: x, cy: y, r: size * 0.4, fill: heart }));
  }
  return shapes;
}

function hills(roll, [, near, far, green, light], height) {
  const wave = (level, colour) => {
    const a = height * (level + roll() * 0.1);
    const b = height * (level + roll() * 0.12);
    return svg("path", { d: `M0 ${a}C120 ${a - 90} 240 ${b + 60} 400 ${b}V${height}H0z`, fill: colour });
  };
  const sun = svg("circle", {
    cx: 90 + roll() * 220,
    cy: height * 0.28,
    r: 46,
    fill: light,
    "fill-opacity": 0.9,
  });
  return [sun, wave(0.48, near), wave(0.62, far), wave(0.78, green)];
}

function stems(roll, [, petal, dark, leaf, light], height) {
  const vase = svg("path", { d: `M150 ${height}V${height * 0.66}q50 -26 100 0V${height}z`, fill: dark });
  const shapes = [];
  for (let number = 0; number < 6; number += 1) {
    const x = 90 + number * 44;
    const y = height * (0.22 + roll() * 0.24);
    shapes.push(
      svg("path", {
        d: `M200 ${height * 0.68}Q${x} ${height * 0.55} ${x} ${y}`,
        stroke: leaf,
        "stroke-width": 6,
        fill: "none",
      }),
    );
    shapes.push(
      svg("ellipse", {
        cx: x,
        cy: y,
        rx: 17 + roll() * 10,
        ry: 30 + roll() * 16,
        fill: number % 2 ? petal : light,
        transform: `rotate(${(number - 2.5) * 11} ${x} ${y})`,
      }),
    );
  }
  return [...shapes, vase];
}

/** Makes `element` the face of a name: its first letter on its colour. */
export function face(element, name) {
  if (element.dataset.face === name) return element;
  element.dataset.face = name;
  element.style.setProperty("--hue", String(seed(name) % 360));
  element.textContent = [...name][0]?.toUpperCase() ?? "?";
  return element;
}

const ICONS = {
  home: "M4 11 12 4l8 7v9h-5v-6H9v6H4z",
  messages: "M4 5h16v11H9l-5 4z",
  behind: "M4 7h10M18 7h2M4 12h3M11 12h9M4 17h12M20 17h0M14 5v4M7 10v4M16 15v4",
  back: "m14 5-7 7 7 7",
  close: "m6 6 12 12M18 6 6 18",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9h0",
  share: "m4 4 17 8-17 8 3-8zM7 12h14",
  comment: "M20 12a8 8 0 1 0-3.2 6.4L20 20l-.8-3.6A8 8 0 0 0 20 12z",
  more: "M6 12h0M12 12h0M18 12h0",
  play: "m8 5 11 7-11 7z",
  plus: "M12 5v14M5 12h14",
  menu: "M5 7h14M5 12h14M5 17h14",
};

export function icon(name) {
  return svg(
    "svg",
    { viewBox: "0 0 24 24", class: `icon icon-${name}`, "aria-hidden": "true" },
    svg("path", {
      d: ICONS[name],
      fill: "none",
      stroke: "currentColor",
      "stroke-width": name === "more" ? 3 : 1.8,
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
    }),
  );
}
