// Sentences with names in {braces}, dates and sizes in the reader's language.

export class Words {
  constructor({ texts, unread, language }) {
    Object.assign(this, { texts, forms: unread, language });
    this.plural = new Intl.PluralRules(language);
    this.clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
    this.day = new Intl.DateTimeFormat(language, { day: "numeric", month: "long" });
    this.moment = new Intl.DateTimeFormat(language, { weekday: "long", hour: "2-digit", minute: "2-digit" });
  }

  say(name, values = {}) {
    return (this.texts[name] || name).replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
  }

  unread(count) {
    return count ? (this.forms[this.plural.select(count)] || this.forms.other).replace("{count}", count) : "";
  }

  time(at) {
    return this.clock.format(at);
  }

  date(at) {
    const days = (moment) => Math.round(new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()) / 86_400_000);
    const ago = days(new Date()) - days(at);
    return ago === 0 ? this.say("today") : ago === 1 ? this.say("yesterday") : this.day.format(at);
  }

  /** When we open: the hour, with the weekday if that is not today. */
  opening(at) {
    return at.toDateString() === new Date().toDateString() ? this.clock.format(at) : this.moment.format(at);
  }

  size(bytes) {
    const megabytes = bytes / 1024 / 1024;
    const amount = (value) => new Intl.NumberFormat(this.language, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value);
    return megabytes >= 1 ? this.say("megabytes", { size: amount(megabytes) }) : this.say("bytes", { size: amount(Math.max(0.1, bytes / 1024)) });
  }
}
