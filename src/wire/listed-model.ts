import type { JsonObject } from './json.ts'
import type { ModelFacts, Weights } from './model-facts.ts'

/**
 * A model in OpenAI's format, with what clients read beside it: the names of OpenRouter (`context_length`,
 * `architecture`, `pricing`, `supported_parameters`, `top_provider`), vLLM (`max_model_len`), Groq (`context_window`,
 * `max_completion_tokens`), Mistral (`capabilities`) and Ollama (`details`). What isn't known is absent.
 */
export interface ListedModel extends JsonObject {
  readonly id: string
  readonly object: 'model'
  /** Seconds since 1970. */
  readonly created: number
  readonly owned_by: string
  /** The id: some clients show nothing else, and break on null. */
  readonly name: string
  /** What the name stands for, as `provider/model`; in vLLM and in OpenAI's lists of 2023 too. */
  readonly root?: string
}

/** The fields that say what is known of a model. */
export function fieldsOf(facts: ModelFacts): JsonObject {
  const { contextWindow, maxOutput, price, weights } = facts
  const parameters = parametersOf(facts)
  const capabilities = capabilitiesOf(facts)
  return {
    ...(contextWindow !== undefined && {
      context_length: contextWindow,
      context_window: contextWindow,
      max_model_len: contextWindow,
    }),
    ...(maxOutput !== undefined && {
      max_output_tokens: maxOutput,
      max_completion_tokens: maxOutput,
      top_provider: {
        ...(contextWindow !== undefined && { context_length: contextWindow }),
        max_completion_tokens: maxOutput,
      },
    }),
    ...architectureOf(facts),
    ...(parameters.length > 0 && { supported_parameters: parameters }),
    ...(Object.keys(capabilities).length > 0 && { capabilities }),
    ...(price && { pricing: { prompt: perToken(price.input), completion: perToken(price.output) } }),
    ...(weights && { details: detailsOf(weights) }),
  }
}

function detailsOf({ format, family, size, quantization }: Weights): JsonObject {
  return {
    ...(format !== undefined && { format }),
    ...(family !== undefined && { family }),
    ...(size !== undefined && { parameter_size: size }),
    ...(quantization !== undefined && { quantization_level: quantization }),
  }
}

function architectureOf({ inputs, outputs, supports }: ModelFacts): JsonObject {
  const sees = supports?.vision
  const told = inputs ?? (sees === undefined ? undefined : ['text'])
  if (!told && !outputs) return {}
  // What is configured counts, also against the provider's list.
  const others = (told ?? ['text']).filter((modality) => modality !== 'image' || sees !== false)
  const takes = sees && !others.includes('image') ? [...others, 'image'] : others
  const gives = outputs ?? ['text']
  return {
    architecture: {
      modality: `${takes.join('+')}->${gives.join('+')}`,
      input_modalities: takes,
      output_modalities: gives,
    },
  }
}

/** The provider's own list of them; else those that belong to what the model is known to be able to. */
function parametersOf({ parameters, supports, reasons }: ModelFacts): readonly string[] {
  const own = parameters?.filter((name) => supports?.tools !== false || !/^tool/.test(name))
  const tools = supports?.tools && !own?.includes('tools') ? ['tools', 'tool_choice'] : []
  if (own) return [...own, ...tools]
  return [
    ...tools,
    ...(supports?.schema ? ['response_format', 'structured_outputs'] : []),
    ...(reasons ? ['reasoning', 'include_reasoning'] : []),
  ]
}

function capabilitiesOf({ supports = {}, reasons }: ModelFacts): JsonObject {
  const { tools, vision } = supports
  return {
    ...(tools !== undefined && { function_calling: tools }),
    ...(vision !== undefined && { vision }),
    ...(reasons !== undefined && { reasoning: reasons }),
  }
}

/** A decimal text without an exponent, as OpenRouter has it: clients compare it with "0" and parse it. */
function perToken(perMillion: number): string {
  return (perMillion / 1e6).toFixed(15).replace(/\.?0+$/, '')
}
