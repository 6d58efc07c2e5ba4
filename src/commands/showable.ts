/** What a terminal takes for a command, or shows elsewhere than it stands: controls, and marks that turn text around. */
const UNSHOWABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Of those, what JSON would let through as it is. */
const UNSHOWABLE_IN_JSON = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** Text of which nothing acts on the terminal that it is shown on: somebody else may have chosen it. */
export function showable(text: string): string {
  return text.replaceAll(UNSHOWABLE, escaped);
}

/** The same of JSON, which stays the JSON that it is. */
export function showableJson(json: string): string {
  return json.replaceAll(UNSHOWABLE_IN_JSON, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
