import { operatorOptions } from './address.ts'
import { asJSON, type Command, type Given, json, Misuse, printableLines, type Surroundings } from './command.ts'
import { fieldsOf, keyLines, keyTable, type ListedKey } from './key-text.ts'
import { askAsOperator } from './running.ts'

/** Keys that the gateway lists at once. */
const page = 100

const actions = ['list', 'create', 'get', 'update', 'rotate', 'disable', 'enable', 'delete'] as const

export const keys: Command = {
  name: 'keys',
  summary: 'Makes keys for clients, changes them, and says what they have spent.',
  description: 'The secret of a new key is printed once, and nobody can find it out again.',
  arguments: [
    { syntax: '[action]', text: 'What to do; default: list.', values: actions },
    { syntax: '[key]', text: 'The id of the key; for create, the name of the new one.' },
  ],
  options: [
    { syntax: '--name <NAME>', text: 'Its name in logs and metrics.' },
    { syntax: '--limit <DOLLARS>', text: 'Its budget. As for all limits, none takes it off.' },
    { syntax: '--reset <WHEN>', text: 'When its budget starts anew.', values: ['daily', 'weekly', 'monthly', 'none'] },
    { syntax: '--models <NAMES>', text: 'The only models that it may ask, with commas between them; * is any text.' },
    { syntax: '--rpm <N>', text: 'Requests a minute.' },
    { syntax: '--tpm <N>', text: 'Tokens a minute.' },
    { syntax: '--parallel <N>', text: 'Requests at once.' },
    {
      syntax: '--model-rpm <LIMITS>',
      text: 'Requests a minute of single models, by the names that clients ask for: gpt-4o=10,qwen3=60. They replace all before.',
    },
    { syntax: '--model-tpm <LIMITS>', text: 'The same for tokens a minute.' },
    { syntax: '--end-user-rpm <N>', text: 'Requests a minute of each `user` whom its client speaks for.' },
    { syntax: '--end-user-tpm <N>', text: 'Tokens a minute of each of them.' },
    {
      syntax: '--budget-mode <MODE>',
      text: 'exact: never more than the budget (the default). estimate: requests hold less of it, and may exceed it a little.',
      values: ['exact', 'estimate', 'none'],
    },
    {
      syntax: '--unbounded <WHETHER>',
      text: 'Whether it may ask for what nobody can price beforehand, such as web search, although it has a budget.',
      values: ['yes', 'no'],
    },
    { syntax: '--expires <WHEN>', text: 'A day, a time in ISO 8601, or how long from now: 12h, 90d.' },
    { syntax: '--project <ID>', text: 'The project that it belongs to; of a list, those of the project.' },
    { syntax: '--user <ID>', text: 'Who it belongs to; of a list, those of the user.' },
    { syntax: '--metadata <JSON>', text: 'An object to keep with it.' },
    {
      syntax: '--grace <TIME>',
      text: 'How long the old secret stays good after rotate: 15m, 24h. Default: not at all.',
    },
    { syntax: '--forgive', text: 'Of update: gives back what was booked for requests that a crash cut off.' },
    asJSON,
    ...operatorOptions,
  ],
  examples: [
    'samewire keys',
    'samewire keys create Ada --limit 20 --reset monthly --models "gpt-*,demo/*"',
    'samewire keys update key_0123 --limit none --rpm 60',
    'samewire keys update key_0123 --model-rpm gpt-4o=10 --end-user-tpm 20000',
    'samewire keys rotate key_0123 --grace 24h',
    'samewire keys delete key_0123',
  ],
  async run(given, surroundings) {
    const [action = 'list', key] = given.words
    if (action === 'list') return await list(given, surroundings, key)
    if (key === undefined) throw new Misuse(`it needs ${action === 'create' ? 'a name' : 'the id of a key'}`)
    if (action === 'create')
      return await make({ path: '/keys', body: { name: key, ...fieldsOf(given) } }, given, surroundings)
    const path = `/keys/${encodeURIComponent(key)}`
    if (action === 'rotate') {
      const { grace } = given.values
      return await make({ path: `${path}/rotate`, body: grace === undefined ? {} : { grace } }, given, surroundings)
    }
    if (action === 'delete') {
      await askAsOperator({ path, method: 'DELETE' }, given, surroundings)
      surroundings.errors.write(printableLines(`${key} is deleted.\n`))
      return 0
    }
    const change = changeOf(action, given)
    const asked = change ? { path, method: 'PATCH', body: change } : { path }
    const answer = await readJson<{ data: ListedKey }>(askAsOperator(asked, given, surroundings))
    surroundings.output.write(given.flags.has('json') ? json(answer.data) : keyLines(answer.data))
    return 0
  },
}

/** What a PATCH says; undefined: nothing is to be changed. */
function changeOf(action: string, given: Given): object | undefined {
  if (action === 'disable' || action === 'enable') return { disabled: action === 'disable' }
  if (action === 'get') return undefined
  const change = { ...fieldsOf(given), ...(given.flags.has('forgive') && { forgive: true }) }
  if (Object.keys(change).length === 0) throw new Misuse('it needs something to change')
  return change
}

async function list(given: Given, surroundings: Surroundings, extra: string | undefined): Promise<number> {
  if (extra !== undefined) throw new Misuse('a list has no key; `samewire keys get` shows one')
  const { project, user } = given.values
  const only = { ...(project !== undefined && { project_id: project }), ...(user !== undefined && { user_id: user }) }
  const found: ListedKey[] = []
  for (let offset = 0; ; offset += page) {
    const query = new URLSearchParams({ include_disabled: 'true', offset: String(offset), ...only })
    const { data } = await readJson<{ data: ListedKey[] }>(
      askAsOperator({ path: `/keys?${query}` }, given, surroundings),
    )
    found.push(...data)
    if (data.length < page) break
  }
  if (found.length === 0 && !given.flags.has('json')) surroundings.errors.write('There is no key.\n')
  else surroundings.output.write(given.flags.has('json') ? json(found) : keyTable(found))
  return 0
}

/** What gives a new secret: that alone is the output, for programs. */
async function make(
  question: { readonly path: string; readonly body: object },
  given: Given,
  surroundings: Surroundings,
): Promise<number> {
  const made = await readJson<{ data: ListedKey; key: string }>(askAsOperator(question, given, surroundings))
  if (given.flags.has('json')) surroundings.output.write(json(made))
  else {
    surroundings.errors.write(`${keyLines(made.data)}\nIts secret, which is shown only now:\n`)
    surroundings.output.write(printableLines(`${made.key}\n`))
  }
  return 0
}

async function readJson<T>(asked: Promise<Response>): Promise<T> {
  return (await (await asked).json()) as T
}
