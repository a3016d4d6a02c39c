/** 83.4 → "1:23"; hours only when there are any. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${h ? String(m).padStart(2, '0') : m}:${String(s).padStart(2, '0')}`;
  return h ? `${h}:${tail}` : tail;
}

/** "1:23", "1:02:03", "83" or "83.5" → seconds; null when it is none of these. */
export function parseClock(text: string): number | null {
  const trimmed = text.trim();
  if (/^\d+([.,]\d+)?$/.test(trimmed)) return Number(trimmed.replace(',', '.'));
  const match = /^(?:(\d+):)?(\d{1,3}):(\d{1,2})([.,]\d+)?$/.exec(trimmed);
  if (!match) return null;
  const [, h = '0', m = '0', s = '0', fraction = ''] = match;
  if (Number(s) > 59 || (match[1] && Number(m) > 59)) return null;
  return Number(h) * 3600 + Number(m) * 60 + Number(s) + Number(fraction.replace(',', '.') || 0);
}

/** A length in words for a caption: "0.8 s", "12 s", "3 min 20 s", "2 h 5 min". */
export function span(seconds: number): string {
  if (seconds === 0) return 'under 1 s';
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [big, small, bigUnit, smallUnit] =
    whole < 3600
      ? [Math.floor(whole / 60), whole % 60, 'min', 's']
      : [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), 'h', 'min'];
  return small ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`;
}

/** How long such jobs usually take, from how long past ones took: "about 12–20 s". */
export function usualTime(past: number[]): string | null {
  const sorted = past.filter((seconds) => seconds > 0).sort((a, b) => a - b);
  if (sorted.length < 2) return null;
  const at = (share: number) => roundNicely(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  const [low, high] = [at(0.25), at(0.9)];
  if (low === high) return `usually ${span(high)}`;
  return high < 60 ? `usually ${low}–${high} s` : `usually ${span(low)} – ${span(high)}`;
}

function roundNicely(seconds: number): number {
  if (seconds < 20) return Math.max(1, Math.round(seconds));
  if (seconds < 60) return Math.round(seconds / 5) * 5;
  if (seconds < 600) return Math.round(seconds / 30) * 30;
  return Math.round(seconds / 60) * 60;
}

const AGO: [limit: number, unit: number, name: string][] = [
  [60 * 60, 60, 'min'],
  [24 * 3600, 3600, 'h'],
  [7 * 86400, 86400, 'd'],
];

/** "now", "5 min", "3 h", "2 d", then the date. */
export function ago(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1000;
  if (!Number.isFinite(seconds)) return '';
  if (seconds < 60) return 'now';
  for (const [limit, unit, name] of AGO) {
    if (seconds < limit) return `${Math.floor(seconds / unit)} ${name}`;
  }
  const date = new Date(at);
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return date.toLocaleDateString('en', {
    day: 'numeric',
    month: 'short',
    ...(sameYear ? {} : { year: 'numeric' }),
  });
}

/** The full local date and time, for titles and the detail. */
export function moment(at: string | null | undefined): string {
  return at ? new Date(at).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' }) : '';
}
