// Decides neutral cases with the npm package @cloud-copilot/iam-simulate, in a process of its own.
//
//   node simulate.mjs FOLDER CASES.jsonl     FOLDER is where the package is installed
//
// Takes one word a line on standard input and answers each with one line of JSON:
//   checked     one pass over the cases with runSimulation: {"seconds": …, "decided": …}
//   unchecked   the same with runUnsafeSimulation, which leaves out the checking of its input
//   answers     the decisions by both: {"checked": […], "unchecked": […]}; null where it was not asked
// runUnsafeSimulation throws where there is a resource policy: it is not asked about KMS keys.
// Reading and converting the cases is not part of the time.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

process.env.TZ = 'UTC' // for dates without a zone
const [folder, file] = process.argv.slice(2)
const { runSimulation, runUnsafeSimulation } = createRequire(pathToFileURL(join(folder, 'here.cjs')))('@cloud-copilot/iam-simulate')

// A neutral case without a resource policy has a KMS key under its default policy.
function resourcePolicy(c) {
  if (c.resourcePolicy || !c.action.startsWith('kms:') || !c.resource.includes(':key/')) return c.resourcePolicy ?? undefined
  const principal = { AWS: `arn:aws:iam::${c.resourceAccount}:root` }
  const allow = { Effect: 'Allow', Principal: principal, Action: 'kms:*', Resource: '*' }
  return { Version: '2012-10-17', Statement: [allow] }
}

function simulation(c) {
  for (const name of ['boundary', 'sessionPolicy', 'scps', 'rcps'])
    if (c[name]?.length ?? c[name]) throw new Error(`${c.id}: ${name} is not for this runner`)
  return {
    request: {
      principal: c.principal,
      action: c.action,
      resource: { resource: c.resource, accountId: c.resourceAccount },
      contextVariables: c.context
    },
    identityPolicies: c.identityPolicies,
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: resourcePolicy(c)
  }
}

const simulations = readFileSync(file, 'utf8').trim().split('\n').map((line) => simulation(JSON.parse(line)))
const ways = {
  checked: async (one) => {
    const result = await runSimulation(one, {})
    return result.resultType === 'error' ? `Error: ${result.errors.message}` : result.overallResult
  },
  unchecked: async (one) => runUnsafeSimulation(one, {})
}

async function pass(way) {
  const asked = simulations.map((one) => way === 'checked' || !one.resourcePolicy)
  const decided = asked.filter(Boolean).length
  const found = []
  const start = performance.now()
  for (let i = 0; i < simulations.length; i++) found.push(asked[i] ? await ways[way](simulations[i]) : null)
  return { seconds: (performance.now() - start) / 1000, decided, found }
}

for await (const line of createInterface({ input: process.stdin })) {
  const word = line.trim()
  if (word === 'answers') {
    console.log(JSON.stringify({ checked: (await pass('checked')).found, unchecked: (await pass('unchecked')).found }))
  } else {
    const { seconds, decided } = await pass(word)
    console.log(JSON.stringify({ seconds, decided }))
  }
}
