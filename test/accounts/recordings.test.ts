import { expect, it } from 'vitest'
import { isBoundedRecording } from '../../src/operations/common/recording.ts'
import { mp3, taggedMp3, wave } from '../support/audio.ts'

const padded = Buffer.concat([Buffer.alloc(500), Buffer.from(mp3, 'base64')])
const [one, other] = [wave(), wave({ samples: 1 })].map((base64) => Buffer.from(base64, 'base64'))
const twice = Buffer.concat([one!.subarray(0, 60), other!.subarray(12)]).toString('base64')

it.each([
  ['samples of a telephone', wave({ bits: 8 }), 'wav'],
  ['a media type', wave(), 'audio/x-wav'],
  ['broken numbers', wave({ format: 3, bits: 32 }), 'wav'],
  ['a kind told further behind', wave({ format: 0xfffe, subFormat: 3 }), 'audio/wav'],
  ['what programs write before', wave({ before: 4_001 }), 'wav'],
  ['a frame', mp3, 'mp3'],
  ['a frame behind a tag', taggedMp3(5_000), 'audio/mpeg'],
  ['lines of base64', `${wave().slice(0, 16)}\n${wave().slice(16)}`, 'wav'],
  ['what a telephone packs', wave({ format: 7, bits: 8 }), 'wav'],
  ['a media type with more', wave(), 'audio/wav; codecs=1'],
  ['a frame behind two tags and nothing', taggedMp3(20, Buffer.from(taggedMp3(30, padded), 'base64')), 'mp3'],
  ['base64 of URLs', mp3.replaceAll('+', '-').replaceAll('/', '_'), 'mp3'],
])('a recording has more bytes than tokens: %s', (_, data, type) => {
  expect(isBoundedRecording(data, type)).toBe(true)
})

it.each([
  ['few samples', wave({ samples: 100 }), 'wav'],
  ['few bits', wave({ bits: 4 }), 'wav'],
  ['packed samples', wave({ format: 85 }), 'wav'],
  ['packed samples, told further behind', wave({ format: 0xfffe, subFormat: 85 }), 'wav'],
  ['what is said behind another chunk', wave({ before: 4_001, samples: 1 }), 'wav'],
  ['two that say how it sounds', twice, 'wav'],
  ['another chunk that goes on for ever', wave({ before: 0xffff }).slice(0, 400), 'wav'],
  ['another format', Buffer.from('OggS'.repeat(20)).toString('base64'), 'wav'],
  ['another format by another name', Buffer.from('OggS'.repeat(20)).toString('base64'), 'mp3'],
  ['another format behind a tag', taggedMp3(5_000, Buffer.from('fLaC'.repeat(20))), 'mp3'],
  ['a frame of any rate', Buffer.from([0xff, 0xfb, 0x00, 0x64]).toString('base64'), 'mp3'],
  ['a frame of another layer', Buffer.from([0xff, 0xfd, 0x10, 0x64]).toString('base64'), 'mp3'],
  ['no samples', '', 'wav'],
  ['nothing', '', 'mp3'],
  ['characters that some read over, in its middle', `${wave().slice(0, 200)}*${wave().slice(200)}`, 'wav'],
  ['a format whose silence is packed', wave(), 'flac'],
  ['no format', wave(), undefined],
])('a recording may have more tokens than bytes: %s', (_, data, type) => {
  expect(isBoundedRecording(data, type)).toBe(false)
})
