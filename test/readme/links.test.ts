import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { expect, test } from 'vitest'
import { pages, root } from './snippets.ts'

/** The anchors that GitHub makes of a page's headings. */
function anchorsOf(text: string): string[] {
  const plain = text.replaceAll(/^```[\s\S]*?^```$/gm, '')
  return [...plain.matchAll(/^#{1,4} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

const links = pages.flatMap(({ name, text }) =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => [name, link] as const),
)

test.each(links.filter(([, link]) => !link.includes(':')))('%s: the link %s leads somewhere', (name, link) => {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? name : posix.join(posix.dirname(name), path)
  expect(existsSync(root + target), target).toBe(true)
  if (anchor === undefined) return
  expect(anchorsOf(pages.find((page) => page.name === target)?.text ?? '')).toContain(anchor)
})

test('every chapter is named in the README', () => {
  const [readme] = pages
  for (const { name } of pages.slice(1)) expect(readme?.text).toContain(`](${name})`)
})
