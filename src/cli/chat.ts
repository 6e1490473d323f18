import { addressOptions, baseURLOf } from './address.ts'
import { type Command, Misuse } from './command.ts'

export const chat: Command = {
  name: 'chat',
  summary: 'Chats in the terminal with a model of the running gateway.',
  arguments: [{ syntax: '[model]', text: 'Without it, the first that the gateway lists.', values: 'model' }],
  options: [
    { syntax: '--model <NAME>', text: 'The same as the argument.', values: 'model' },
    ...addressOptions,
    { syntax: '--base-url <URL>', text: 'The same as --url.' },
  ],
  examples: ['samewire chat', 'samewire chat gpt-4o', 'echo "Who are you?" | samewire chat demo/tiny-chat'],
  /** Uses the same client library as other programs. */
  async run({ words: [word], values }, { input, output, errors, env }) {
    if (word !== undefined && values.model !== undefined) throw new Misuse('the model is given twice')
    const baseURL = baseURLOf(values.url ?? values['base-url'], env)
    const [{ default: OpenAI }, { chatLoop }, { systemClock }] = await Promise.all([
      import('openai'),
      import('../chat/loop.ts'),
      import('../core/clock.ts'),
    ])
    const client = new OpenAI({
      baseURL,
      // The client refuses to start without a key; a gateway that needs none ignores it.
      apiKey: values.key ?? (env.SAMEWIRE_KEY || 'none'),
      // The gateway retries by itself, and the user's OpenAI organization and project must not be sent to it.
      organization: null,
      project: null,
      maxRetries: 0,
    })
    const model = word ?? values.model
    const end = await chatLoop({
      client,
      clock: systemClock,
      input,
      output,
      errors,
      model,
      signals: process,
      color: !env.NO_COLOR,
    })
    return { left: 0, failed: 1, interrupted: 130 }[end]
  },
}
