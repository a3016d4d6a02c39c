import { describe, expect, it } from 'vitest';
import { gridFor, neighbour, placeCards, visibleCards, type Place } from '../src/lib/masonry';

const grid = { columns: 3, columnWidth: 100, gap: 10 };
const heights = Array.from({ length: 500 }, (_, index) => 80 + ((index * 37) % 190));

describe('masonry', () => {
  it('fits columns into the width exactly', () => {
    for (const width of [320, 390, 768, 1280, 2560]) {
      const { columns, columnWidth, gap } = gridFor(width);
      expect(columns * columnWidth + (columns - 1) * gap).toBeCloseTo(width);
    }
    expect(gridFor(390).columns).toBe(2);
    expect(gridFor(280).columns).toBe(1);
  });

  it('never lets cards overlap', () => {
    const { places } = placeCards(heights, grid);
    for (const x of [0, 110, 220]) {
      const column = places.filter((place) => place.x === x);
      expect(column.length).toBeGreaterThan(100);
      column.slice(1).forEach((place, index) => {
        const above = column[index] as Place;
        expect(place.y).toBe(above.y + above.height + grid.gap);
      });
    }
  });

  it('fills equal rows from left to right', () => {
    const { places, height } = placeCards([50, 50, 50, 50], grid);
    expect(places.map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [110, 0],
      [220, 0],
      [0, 60],
    ]);
    expect(height).toBe(110);
  });

  it('keeps columns about equally long', () => {
    const { places } = placeCards(heights, grid);
    const ends = [0, 110, 220].map((x) =>
      Math.max(...places.filter((place) => place.x === x).map((place) => place.y + place.height)),
    );
    expect(Math.max(...ends) - Math.min(...ends)).toBeLessThan(300);
  });

  it('is empty without cards', () => {
    expect(placeCards([], grid)).toEqual({ places: [], height: 0 });
  });

  it('finds every card that touches the band, and no other', () => {
    const layout = placeCards(heights, grid);
    const found = new Set(visibleCards(layout, 2000, 3000));
    layout.places.forEach((place, index) => {
      expect(found.has(index)).toBe(place.y < 3000 && place.y + place.height > 2000);
    });
    expect(found.size).toBeLessThan(40);
  });
});

describe('arrow keys', () => {
  const layout = placeCards([50, 100, 50, 50, 50], grid);

  it('walk to the card beside, above and below', () => {
    expect(neighbour(layout, 0, 'right')).toBe(1);
    expect(neighbour(layout, 1, 'left')).toBe(0);
    expect(neighbour(layout, 0, 'down')).toBe(3);
    expect(neighbour(layout, 3, 'up')).toBe(0);
  });

  it('stop at the edge', () => {
    expect(neighbour(layout, 0, 'left')).toBe(-1);
    expect(neighbour(layout, 0, 'up')).toBe(-1);
    expect(neighbour(layout, 2, 'right')).toBe(-1);
    expect(neighbour(layout, 99, 'down')).toBe(-1);
  });
});
