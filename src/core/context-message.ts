/** LangChain and agents look for "maximum context length is N tokens", whatever term the server uses. */
export function contextMessage(message: string): string {
  if (/maximum context length is \d+ tokens/.test(message)) return message
  const size = contextSizes.map((pattern) => pattern.exec(message)?.[1]?.replaceAll(',', '')).find(Boolean)
  return size
    ? `This model's maximum context length is ${size} tokens. However, your request is longer. ${message}`.trim()
    : `The request exceeds this model's maximum context length. ${message}`.trim()
}

/** How servers say how many tokens fit. The first that matches holds the number. */
const contextSizes: readonly RegExp[] = [
  // MiniMax puts a code of its own there: "context window exceeds limit (2013)".
  /(?:maximum )?context (?:size|length|window)(?! exceeds limit \()[^0-9]{0,30}(\d[\d,]*)/i,
  /(\d[\d,]*) maximum context length/i,
  /maximum number of tokens allowed[^0-9]{0,4}(\d[\d,]*)/i,
  /maximum (?:(?:prompt|model|allowed) )?(?:input )?length[^0-9]{0,10}(\d[\d,]*)/i,
  /(?:token limit|max length): ?(\d[\d,]*)/i,
  /must (?:have less than|be <=) (\d[\d,]*)/i,
  /> (\d[\d,]*)(?: maximum|,)/,
  /model only supports up to (\d[\d,]*)/i,
  /(?:limit (?:of |is )?|cannot exceed )(\d[\d,]*)/i,
  /max size: (\d[\d,]*) tokens/i,
  /input length should be \[\d+, (\d+)\]/i,
  /max_(?:num_tokens|seq_len) \(?(\d+)/i,
  /max tokens of (\d[\d,]*) exceeded/i,
  /maximum allowed token size (\d[\d,]*)/i,
  /too many (?:input |prompt )?tokens: \d+ > (\d+)/i,
]
