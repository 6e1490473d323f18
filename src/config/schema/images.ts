import * as v from 'valibot'
import { text } from '../values.ts'

export const imageHosts = v.strictObject({
  hosts: v.optional(v.array(v.pipe(text, v.regex(/^[^/\s]+$/, 'a host, such as "images.lan"')))),
})
