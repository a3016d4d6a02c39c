import { describe, expect, it } from 'vitest';
import { bytes, plural, words } from '../src/lib/text';
import { ago, clock, parseClock, span, usualTime } from '../src/lib/time';

describe('clock', () => {
  it.each([
    [0, '0:00'],
    [9.4, '0:09'],
    [83, '1:23'],
    [3723, '1:02:03'],
  ])('%s s is %s', (seconds, text) => expect(clock(seconds)).toBe(text));

  it.each([
    ['1:23', 83],
    ['0:07.5', 7.5],
    ['90', 90],
    ['90,5', 90.5],
    ['1:02:03', 3723],
    [' 2:00 ', 120],
  ])('%s is %s s', (text, seconds) => expect(parseClock(text)).toBe(seconds));

  it.each(['', 'soon', '1:60', '1:2:3:4', '-5', '1:75:00', '1:'])('%j is no time', (text) => {
    expect(parseClock(text)).toBeNull();
  });
});

describe('spans', () => {
  it.each([
    [0, 'under 1 s'], // the database keeps whole seconds
    [0.84, '0.8 s'],
    [12.3, '12 s'],
    [60, '1 min'],
    [200, '3 min 20 s'],
    [7500, '2 h 5 min'],
  ])('%s s reads %s', (seconds, text) => expect(span(seconds)).toBe(text));

  it('says how long such jobs usually take', () => {
    expect(usualTime([])).toBeNull();
    expect(usualTime([5])).toBeNull();
    expect(usualTime([12, 14, 20, 13, 500])).toBe('usually 13–20 s');
    expect(usualTime([8, 8, 8])).toBe('usually 8 s');
    expect(usualTime([90, 95, 300, 310, 320])).toBe('usually 1 min 30 s – 5 min');
  });
});

describe('ago', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  it.each([
    ['2026-11-22T11:59:30Z', 'now'],
    ['2026-11-22T12:00:05Z', 'now'],
    ['2026-11-22T11:30:00Z', '30 min'],
    ['2026-11-22T09:00:00Z', '3 h'],
    ['2026-11-20T12:00:00Z', '2 d'],
    ['not a date', ''],
  ])('%s is %s', (at, text) => expect(ago(at, now)).toBe(text));

  it('names the day, and the year only when it is another', () => {
    expect(ago('2026-03-05T12:00:00Z', now)).toBe('Mar 5');
    expect(ago('2024-03-05T12:00:00Z', now)).toBe('Mar 5, 2024');
  });
});

describe('words', () => {
  it('count and measure', () => {
    expect(bytes(0)).toBe('0 B');
    expect(bytes(1536)).toBe('1.5 KB');
    expect(bytes(52_400_000)).toBe('52 MB');
    expect(bytes(null)).toBe('');
    expect(plural(1, 'file')).toBe('1 file');
    expect(plural(1200, 'file')).toBe('1,200 files');
    expect(words('audio_start')).toBe('Audio start');
  });
});
