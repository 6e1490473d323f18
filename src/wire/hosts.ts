/**
 * Whether a host, as `URL.hostname` has it, may be on the internet. The parser of URLs has made dotted decimals of all
 * other forms of IPv4. Names tell only if they are known to be private: what they resolve to must be checked as well.
 */
export function isPublicHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.+$/, '')
  if (host.startsWith('[') || /^\d+(\.\d+){3}$/.test(host)) return isPublicAddress(host.replace(/^\[|\]$/g, ''))
  return host.includes('.') && !privateNames.test(host)
}

/** Names for machines nearby, of clouds' metadata, and names that resolve to any address that is part of them. */
const privateNames =
  /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|home\.arpa|onion|test|invalid|nip\.io|sslip\.io|xip\.io|localtest\.me|lvh\.me|vcap\.me)$/

/** Whether an IP address is on the internet: neither of this machine or network, nor reserved, nor of clouds' metadata. */
export function isPublicAddress(address: string): boolean {
  const plain = address.replace(/%.*$/, '')
  if (!plain.includes(':')) return isPublicIPv4(numberOf(plain))
  const groups = groupsOf(plain)
  return groups !== undefined && isPublicIPv6(groups)
}

type Block = readonly [address: string, bits: number]

/** RFC 6890 and its successors; the last one is Azure's service for virtual machines. */
const reserved: readonly (readonly [from: number, bits: number])[] = (
  [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
    ['168.63.129.16', 32],
  ] satisfies Block[]
).map(([address, bits]) => [numberOf(address), bits] as const)

/** NaN if it is no address. */
function numberOf(address: string): number {
  const parts = address.split('.')
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return Number.NaN
  return parts.reduce((number, part) => number * 256 + Number(part), 0)
}

function isPublicIPv4(address: number): boolean {
  if (Number.isNaN(address)) return false
  return !reserved.some(
    ([from, bits]) => Math.floor(address / 2 ** (32 - bits)) === Math.floor(from / 2 ** (32 - bits)),
  )
}

/** The eight groups of an IPv6 address; undefined if it is none. */
function groupsOf(address: string): readonly number[] | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)
  if (dotted) {
    const number = numberOf(dotted[2] as string)
    const hex = (half: number) => half.toString(16)
    return Number.isNaN(number) ? undefined : groupsOf(`${dotted[1]}${hex(number >>> 16)}:${hex(number & 0xffff)}`)
  }
  const [head = '', tail, ...more] = address.split('::')
  if (more.length > 0) return undefined
  const listOf = (part: string) => (part === '' ? [] : part.split(':'))
  const front = listOf(head)
  const back = listOf(tail ?? '')
  const missing = 8 - front.length - back.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const all = [...front, ...Array.from({ length: missing }, () => '0'), ...back]
  return all.every((group) => /^[\da-f]{1,4}$/i.test(group))
    ? all.map((group) => Number.parseInt(group, 16))
    : undefined
}

function isPublicIPv6(groups: readonly number[]): boolean {
  const [first = 0, second = 0, third = 0] = groups
  const last = (at: number) => (groups[at] as number) * 65536 + (groups[at + 1] as number)
  // IPv4 in other clothes: mapped (::ffff:0:0/96), by NAT64 (64:ff9b::/96), by 6to4 (2002::/16).
  const isZero = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0)
  if (isZero(0, 5) && groups[5] === 0xffff) return isPublicIPv4(last(6))
  if (first === 0x64 && second === 0xff9b && isZero(2, 6)) return isPublicIPv4(last(6))
  if (first === 0x2002) return isPublicIPv4(last(1))
  // Global unicast is 2000::/3. Of it, 2001::/23 is for protocols such as Teredo, and two blocks are for documentation.
  if (first >> 13 !== 1) return false
  if (first === 0x2001 && (second < 0x200 || second === 0xdb8)) return false
  return !(first === 0x3fff && second < 0x1000 && third >= 0)
}
