/** The time, as reactive state: what shows ages and counts seconds reads it. */
class Now {
  second = $state(Date.now());
  minute = $state(Date.now());

  constructor() {
    setInterval(() => {
      this.second = Date.now();
      if (this.second - this.minute > 20_000) this.minute = this.second;
    }, 1000);
  }
}

export const now = new Now();
