/** Where a card stands, in pixels from the feed's top left corner. */
export interface Place {
  x: number;
  y: number;
  height: number;
}

export interface Grid {
  columns: number;
  columnWidth: number;
  gap: number;
}

export interface Layout {
  places: Place[];
  height: number;
}

/** As many columns as fit, all equally wide; two on a phone. */
export function gridFor(width: number, wanted = 230): Grid {
  const gap = width < 600 ? 10 : 14;
  const columns = Math.max(width < 320 ? 1 : 2, Math.round((width + gap) / (wanted + gap)));
  return { columns, columnWidth: Math.max(0, (width - gap * (columns - 1)) / columns), gap };
}

/** Put each card under the shortest column; equal columns fill from the left, so order reads well. */
export function placeCards(heights: number[], grid: Grid): Layout {
  const bottoms = new Array<number>(grid.columns).fill(0);
  const places = heights.map((height) => {
    const column = shortest(bottoms);
    const y = bottoms[column] ?? 0;
    bottoms[column] = y + height + grid.gap;
    return { x: column * (grid.columnWidth + grid.gap), y, height };
  });
  return { places, height: Math.max(0, Math.max(...bottoms) - grid.gap) };
}

// A difference too small to see must not break the reading order.
const SLACK = 8;

function shortest(bottoms: number[]): number {
  const lowest = Math.min(...bottoms);
  return bottoms.findIndex((bottom) => bottom <= lowest + SLACK);
}

/** Indexes of the cards that touch the band from `top` to `bottom`. */
export function visibleCards(layout: Layout, top: number, bottom: number): number[] {
  const found: number[] = [];
  layout.places.forEach((place, index) => {
    if (place.y < bottom && place.y + place.height > top) found.push(index);
  });
  return found;
}

export type Direction = 'left' | 'right' | 'up' | 'down';

/** The card next to one in a direction, or -1: what the arrow keys go to. */
export function neighbour(layout: Layout, from: number, direction: Direction): number {
  const start = layout.places[from];
  if (!start) return -1;
  let [best, bestCost] = [-1, Infinity];
  layout.places.forEach((place, index) => {
    const cost = index === from ? Infinity : distance(start, place, direction);
    if (cost < bestCost) [best, bestCost] = [index, cost];
  });
  return best;
}

function distance(from: Place, to: Place, direction: Direction): number {
  const dx = to.x - from.x;
  const dy = to.y + to.height / 2 - (from.y + from.height / 2);
  if (direction === 'up' || direction === 'down') {
    const ahead = direction === 'down' ? to.y - from.y : from.y - to.y;
    return dx === 0 && ahead > 0 ? ahead : Infinity;
  }
  const ahead = direction === 'right' ? dx : -dx;
  return ahead > 0 ? ahead * 4 + Math.abs(dy) : Infinity;
}
