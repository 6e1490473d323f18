import { counter, gauge, histogram } from './kinds.ts'

/** What a gateway adds is far less than what a model takes. */
const overheads = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/** Those for which there is no convention. */
export const ownMetrics = {
  requests: counter({
    name: 'samewire.requests',
    help: 'Requests that are over, by the status of their answer and how they ended.',
    attributes: ['path', 'model', 'status', 'outcome'],
  }),
  inFlight: gauge({
    name: 'samewire.requests_in_flight',
    help: 'Requests that are not over.',
    attributes: [],
    unit: '{request}',
  }),
  streams: counter({
    name: 'samewire.stream_outcomes',
    help: 'Streams by how they ended: done, cut by an upstream, gone with their client, or unfollowed.',
    attributes: ['outcome'],
  }),
  failures: counter({
    name: 'samewire.failures',
    help: 'Requests that failed or whose stream was cut, by the kind of failure.',
    attributes: ['kind'],
  }),
  refusals: counter({
    name: 'samewire.refusals',
    help: "Requests that the gateway's own rules refused, by what for, and by which limit.",
    attributes: ['kind', 'limit'],
  }),
  attempts: counter({
    name: 'samewire.attempts',
    help: 'Attempts by deployment and outcome: ok, broke (after the first content), or the kind of failure.',
    attributes: ['deployment', 'outcome'],
    unit: '{attempt}',
  }),
  retries: counter({
    name: 'samewire.retries',
    help: 'Attempts on the same deployment as the one before.',
    attributes: ['deployment'],
    unit: '{attempt}',
  }),
  fallbacks: counter({
    name: 'samewire.fallbacks',
    help: 'Attempts on another deployment than the one before, or than the requested model, and why.',
    attributes: 'from to reason'.split(' '),
    unit: '{attempt}',
  }),
  cache: counter({
    name: 'samewire.cache',
    help: 'Requests for models whose answers are kept: hit, shared (with one under way), miss, or bypass.',
    attributes: ['result'],
  }),
  tokens: counter({
    name: 'samewire.tokens',
    help: 'Tokens by deployment and type. Those of type cached are among the input, those of reasoning among the output.',
    attributes: ['deployment', 'type'],
    unit: '{token}',
  }),
  cost: counter({
    name: 'samewire.cost_usd',
    help: 'Price of answers in US dollars, where tokens and prices are known.',
    attributes: ['model', 'deployment'],
    unit: '{USD}',
  }),
  budgets: gauge({
    name: 'samewire.budget_remaining_usd',
    help: 'What is left of the budget of a key or a project in its window, in US dollars.',
    attributes: ['key', 'project'],
    unit: '{USD}',
    shared: true,
  }),
  budgetLimits: gauge({
    name: 'samewire.budget_limit_usd',
    help: 'The budget of a key or a project for its window, in US dollars.',
    attributes: ['key', 'project'],
    unit: '{USD}',
    shared: true,
  }),
  ledgerRows: counter({
    name: 'samewire.ledger_rows',
    help: 'Rows of requests that were written, or dropped for want of room while the store failed.',
    attributes: ['result'],
    unit: '{row}',
  }),
  ledgerWaiting: gauge({
    name: 'samewire.ledger_waiting',
    help: 'Rows of requests that are still to be written.',
    attributes: [],
    unit: '{row}',
  }),
  leasesLost: counter({
    name: 'samewire.leases_lost_usd',
    help: 'US dollars of budgets that were booked as spent because a process died with them.',
    attributes: [],
    unit: '{USD}',
  }),
  overhead: histogram({
    name: 'samewire.overhead',
    help: 'Time that the gateway itself adds until the first content, of requests with one attempt.',
    attributes: [],
    bounds: overheads,
  }),
  cooldown: gauge({
    name: 'samewire.cooldown',
    help: 'Processes that leave the deployment alone after failures.',
    attributes: ['deployment'],
    unit: '{process}',
  }),
  breakers: gauge({
    name: 'samewire.breaker_state',
    help: 'Processes in which the circuit breaker of the deployment has the state closed, open or half_open.',
    attributes: ['deployment', 'state'],
    unit: '{process}',
  }),
  config: gauge({
    name: 'samewire.config_info',
    help: 'Processes that have the configuration with this hash.',
    attributes: ['hash'],
    unit: '{process}',
  }),
  reloads: counter({
    name: 'samewire.config_reloads',
    help: 'How often the configuration was read again: applied, unchanged, kept because the new one is wrong, or rolled_back.',
    attributes: ['result'],
    unit: '{reload}',
  }),
  processes: gauge({
    name: 'samewire.processes',
    help: 'Processes whose counts are in here.',
    attributes: [],
    unit: '{process}',
  }),
  folded: counter({
    name: 'samewire.metrics_folded',
    help: 'What was counted under "other" because there are too many series.',
    attributes: [],
    unit: '{request}',
  }),
} as const
