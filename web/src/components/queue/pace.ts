/** Runs at once when it was quiet, else once as soon as `ms` have passed: never more often, and never forgotten. */
export function atMostEvery(ms: number, run: () => void): { soon: () => void; stop: () => void } {
  let last = -Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const now = () => {
    timer = undefined;
    last = performance.now();
    run();
  };
  return {
    soon: () => {
      timer ??= setTimeout(now, Math.max(0, last + ms - performance.now()));
    },
    stop: () => {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
