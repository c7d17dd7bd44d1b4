// Writes src/api/schema.ts, the types of the API, from openapi.json. The test of
// the client compares what this makes with what is committed.
import { readFile, writeFile } from 'node:fs/promises'
import openapi, { astToString } from 'openapi-typescript'

const here = new URL('..', import.meta.url)

export async function generate() {
  const document = JSON.parse(await readFile(new URL('openapi.json', here), 'utf8'))
  // The client sets this header on every request, so its callers need not.
  for (const path of Object.values(document.paths)) {
    for (const operation of Object.values(path)) {
      if (operation.parameters) operation.parameters = operation.parameters.filter((p) => p.$ref !== '#/components/parameters/RequestedWith')
    }
  }
  const nodes = await openapi(document, { alphabetize: true, rootTypes: false })
  return '// Generated from openapi.json by "make web-client"; do not edit.\n\n' + astToString(nodes)
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  await writeFile(new URL('src/api/schema.ts', here), await generate())
}
