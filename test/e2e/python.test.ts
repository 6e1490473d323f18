import { execFile, execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RunningGateway, startGateway } from '../support/gateway.ts'

const python = process.env.SAMEWIRE_PYTHON ?? 'python3'
const version = installedVersion()
const why = `${python} has ${version ? `openai ${version}` : 'no openai'}: pip install openai==0.27.10, and name that interpreter in SAMEWIRE_PYTHON`

describe('the programs of 2023, run by the library of 2023', () => {
  let open: RunningGateway
  let closed: RunningGateway
  beforeAll(async () => {
    // The library asks for some variety: the same one every time.
    open = await startGateway({}, { random: () => 0.42 })
    closed = await startGateway({ providers: { demo: { type: 'embedded' } } })
  })
  afterAll(() => Promise.all([open.close(), closed.close()]))
  beforeEach(({ skip }) => {
    skip(!version?.startsWith('0.27.'), why)
  })

  it('complete.py has its prompt completed by the model that stands in for davinci-codex', async () => {
    const { code, out, error } = await run('complete.py', open, '', ['# say hi\n'])
    expect(error).toBe('')
    expect(code).toBe(0)
    expect(out.trim().length).toBeGreaterThan(0)
  })

  it('complete.py is told in the words of 2023 that davinci-codex does not exist', async () => {
    const { code, error } = await run('complete.py', closed, '', ['# say hi\n'])
    expect(code).toBe(1)
    expect(error).toContain('openai.error.InvalidRequestError: The model: `davinci-codex` does not exist')
  })

  it('chat.py talks until it is told no more', async () => {
    const { code, out, error } = await run('chat.py', open, 'hi\nping\n')
    expect(error).toBe('')
    expect(code).toBe(0)
    expect(out.match(/ChatGPT: .+/g)?.length).toBe(2)
    expect(out).toContain('You: ChatGPT: Hello! How can I help you?\n')
    expect(out.endsWith('You: \n')).toBe(true)
  })
})

function installedVersion(): string | undefined {
  const script = 'from importlib.metadata import version; print(version("openai"))'
  try {
    return execFileSync(python, ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

function run(program: string, gateway: RunningGateway, input: string, given: readonly string[] = []) {
  const file = fileURLToPath(new URL(`../examples/${program}`, import.meta.url))
  const env = { ...process.env, OPENAI_API_BASE: gateway.baseURL, OPENAI_API_KEY: 'sk-any' }
  return new Promise<{ code: number; out: string; error: string }>((resolve) => {
    const child = execFile(python, [file, ...given], { env }, (failure, out, error) =>
      resolve({ code: failure ? Number(failure.code) : 0, out, error }),
    )
    child.stdin?.end(input)
  })
}
