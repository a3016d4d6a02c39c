/** The average colour in a ThumbHash, as CSS; null when the text is none. */
export function averageColour(hash: string | null | undefined): string | null {
  const bytes = decode(hash);
  if (!bytes || bytes.length < 5) return null;
  const [a = 0, b = 0, c = 0, , , alpha = 255] = bytes;
  const header = a | (b << 8) | (c << 16);
  const l = (header & 63) / 63;
  const p = ((header >> 6) & 63) / 31.5 - 1;
  const q = ((header >> 12) & 63) / 31.5 - 1;
  const opacity = header >> 23 ? (alpha & 15) / 15 : 1;
  const blue = l - (2 / 3) * p;
  const red = (3 * l - blue + q) / 2;
  const green = red - q;
  const [r, g, bl] = [red, green, blue].map((v) => Math.round(255 * Math.min(1, Math.max(0, v))));
  return `rgb(${r} ${g} ${bl} / ${opacity})`;
}

function decode(hash: string | null | undefined): number[] | null {
  if (!hash) return null;
  try {
    return Array.from(atob(hash), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
