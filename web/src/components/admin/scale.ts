import type { Statistics, Step } from './types';

export const STEPS = 48;

/** All steps in order, those in which nothing ended included. */
export function filled(steps: Step[]): Step[] {
  const known = new Map(steps.map((step) => [step.step, step]));
  const empty = { completed: 0, failed: 0, cancelled: 0, waited_p50: null, waited_p90: null };
  return Array.from({ length: STEPS }, (_, at) => known.get(at + 1) ?? { step: at + 1, ...empty });
}

/** The least round figure that nothing is above: 1, 2, 5, 10, 20, 50 … */
export function ceiling(highest: number): number {
  if (highest <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(highest));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= highest) ?? highest;
}

/** When a step began, for its place in a table or under a chart. */
export function stepTime(stats: Statistics, step: number): string {
  const at = new Date(Date.parse(stats.since) + (step - 1) * stats.step_seconds * 1000);
  const long = stats.step_seconds * STEPS > 36 * 3600;
  const day = at.toLocaleDateString('en', { weekday: 'short', day: 'numeric' });
  const time = at.toLocaleTimeString('en', { hour: '2-digit', minute: '2-digit', hour12: false });
  return long ? `${day}, ${time}` : time;
}

/** Runs of steps that have a figure: a line is broken where nothing is known. */
export function pieces(values: (number | null)[]): { at: number; value: number }[][] {
  const found: { at: number; value: number }[][] = [[]];
  values.forEach((value, at) => {
    if (value === null) found.push([]);
    else found.at(-1)?.push({ at, value });
  });
  return found.filter((piece) => piece.length);
}
