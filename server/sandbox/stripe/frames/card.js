// What can be said of a card without asking anybody: brand, shape, Luhn's check digit, dates.

const MASTERCARD = /^(5[1-5]|2(22[1-9]|2[3-9]|[3-6]|7[01]|720))/;
const BRANDS = [
  { name: "American Express", start: /^3[47]/, lengths: [15], cvc: 4, groups: [4, 6, 5] },
  { name: "Diners Club", start: /^3(0[0-5]|[689])/, lengths: [14, 16], cvc: 3, groups: [4, 4, 4, 4] },
  { name: "Discover", start: /^6(011|4[4-9]|5)/, lengths: [16], cvc: 3, groups: [4, 4, 4, 4] },
  { name: "JCB", start: /^35(2[89]|[3-8])/, lengths: [16], cvc: 3, groups: [4, 4, 4, 4] },
  { name: "UnionPay", start: /^(62|81)/, lengths: [16, 17, 18, 19], cvc: 3, groups: [4, 4, 4, 4, 3] },
  { name: "Mastercard", start: MASTERCARD, lengths: [16], cvc: 3, groups: [4, 4, 4, 4] },
  { name: "Visa", start: /^4/, lengths: [16], cvc: 3, groups: [4, 4, 4, 4] },
];
const UNKNOWN = { name: "", lengths: [16], cvc: 3, groups: [4, 4, 4, 4] };

const digitsOf = (text) => text.replace(/\D/g, "");

export function brandOf(number) {
  const digits = digitsOf(number);
  return BRANDS.find((brand) => brand.start.test(digits)) ?? UNKNOWN;
}

/** "4242424242424242" as "4242 4242 4242 4242", cut at the brand's longest number. */
export function formatNumber(text) {
  const { groups, lengths } = brandOf(text);
  let rest = digitsOf(text).slice(0, Math.max(...lengths));
  const parts = [];
  for (const size of groups) {
    if (rest) parts.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return parts.join(" ");
}

/** "1230" and "12/2030" as "12 / 30"; a first digit that can be no month gets its zero. */
export function formatExpiry(text, deleting = false) {
  let digits = digitsOf(text);
  if (/^\s*\d\s*\//.test(text) || /^[2-9]/.test(digits)) digits = `0${digits}`;
  if (digits.length === 6) digits = digits.slice(0, 2) + digits.slice(4);
  digits = digits.slice(0, 4);
  if (digits.length < 2 || (digits.length === 2 && deleting)) return digits;
  return `${digits.slice(0, 2)} / ${digits.slice(2)}`;
}

export function formatCvc(text, number) {
  const { name, cvc } = brandOf(number);
  return digitsOf(text).slice(0, name ? cvc : 4);
}

function passesLuhn(digits) {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const doubled = place % 2 ? Number(digit) * 2 : Number(digit);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

/** The codes of what is wrong are Stripe's; null means good. */
export function checkNumber(text) {
  const digits = digitsOf(text);
  const { lengths } = brandOf(digits);
  if (digits.length < lengths[0]) return "incomplete_number";
  if (passesLuhn(digits) && lengths.includes(digits.length)) return null;
  return digits.length < Math.max(...lengths) ? "incomplete_number" : "invalid_number";
}

export function checkExpiry(text, today = new Date()) {
  const digits = digitsOf(text);
  if (digits.length < 4) return "incomplete_expiry";
  const { month, year } = expiryOf(text);
  if (month < 1 || month > 12) return "invalid_expiry_month";
  if (year < today.getFullYear()) return "invalid_expiry_year_past";
  if (year === today.getFullYear() && month < today.getMonth() + 1) return "invalid_expiry_month_past";
  return year > today.getFullYear() + 50 ? "invalid_expiry_year" : null;
}

export function checkCvc(text, number) {
  const { name, cvc } = brandOf(number);
  const { length } = digitsOf(text);
  return length === cvc || (!name && length === 4) ? null : "incomplete_cvc";
}

export function expiryOf(text) {
  const digits = digitsOf(text);
  return { month: Number(digits.slice(0, 2)), year: 2000 + Number(digits.slice(2, 4)) };
}

/** Whether nothing more can be typed, so that the cursor may move on. */
export function isFull(number) {
  return digitsOf(number).length === Math.max(...brandOf(number).lengths);
}
