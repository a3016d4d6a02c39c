// Fails when the JavaScript that the page needs at its start outgrows its budget (gzipped).
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 40 * 1024;
const html = readFileSync('dist/index.html', 'utf8');
const initial = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map(
  (match) => match[1],
);
const bytes = initial.reduce((sum, file) => sum + gzipSync(readFileSync(`dist/${file}`)).length, 0);
console.log(
  `initial JavaScript: ${(bytes / 1024).toFixed(1)} KB gzipped of ${BUDGET_BYTES / 1024}`,
);
if (bytes === 0 || bytes > BUDGET_BYTES) process.exit(1);
