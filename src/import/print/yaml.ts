import { Document, isMap, isNode, isScalar } from 'yaml'
import type { Path } from '../source.ts'
import type { Comments } from './places.ts'

/** The configuration as YAML, with a comment above each part that it says something about. */
export function printYAML(configuration: unknown, comments: Comments): string {
  const document = new Document(configuration, { aliasDuplicateObjects: false })
  for (const [key, lines] of comments) {
    const path = JSON.parse(key) as Path
    const text = lines.map((line) => ` ${line}`).join('\n')
    if (path.length === 0) document.commentBefore = text
    else put(document, path, text)
  }
  return document.toString({ lineWidth: 0 })
}

/** Above the key, if the part has one. */
function put(document: Document, path: Path, text: string): void {
  const holder: unknown = path.length > 1 ? document.getIn(path.slice(0, -1), true) : document.contents
  const pair = isMap(holder)
    ? holder.items.find(({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)))
    : undefined
  const node: unknown = pair ? pair.key : document.getIn(path, true)
  if (isNode(node)) node.commentBefore = text
}
