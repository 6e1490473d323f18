import { describe, expect, it } from 'vitest'
import { isPublicAddress, isPublicHost } from '../../src/wire/hosts.ts'

const isPublic = (host: string) => isPublicHost(new URL(`http://${host}/`).hostname)

describe('The host of an address', () => {
  it.each([
    'example.com',
    'images.example.co.uk',
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '192.167.1.1',
    '[2606:4700:4700::1111]',
    '[2a00:1450:4001:80b::200e]',
    '[2002:808:808::1]',
    '[64:ff9b::808:808]',
  ])('may be public: %s', (host) => {
    expect(isPublic(host)).toBe(true)
  })

  it.each([
    [
      'this machine',
      ['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', '127.0.0.1', '127.9.9.9', '0.0.0.0', '[::1]', '[::]'],
    ],
    ['this machine in other forms', ['2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '017700000001', '127.1', '0']],
    [
      'this network',
      ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '[fd00::1]', '[fe80::1]', '[fec0::1]'],
    ],
    [
      'the metadata of a cloud',
      [
        '169.254.169.254',
        '0xa9fea9fe',
        '2852039166',
        'metadata.google.internal',
        '168.63.129.16',
        '100.100.100.200',
        '[fd00:ec2::254]',
      ],
    ],
    [
      'IPv4 in the clothes of IPv6',
      [
        '[::ffff:127.0.0.1]',
        '[::ffff:7f00:1]',
        '[::ffff:a9fe:a9fe]',
        '[::127.0.0.1]',
        '[64:ff9b::7f00:1]',
        '[2002:7f00:1::]',
        '[2002:c0a8:101::1]',
      ],
    ],
    [
      'nobody',
      [
        '255.255.255.255',
        '224.0.0.1',
        '240.0.0.1',
        '198.18.0.1',
        '203.0.113.5',
        '[ff02::1]',
        '[2001:db8::1]',
        '[2001::1]',
        '[100::1]',
      ],
    ],
    ['a name that only this network knows', ['printer', 'nas.local', 'router.lan', 'db.internal', 'x.home.arpa']],
    ['a name made of a private address', ['127.0.0.1.nip.io', '10-0-0-1.sslip.io', 'app.localtest.me', 'x.lvh.me']],
  ])('may be %s', (_whose, hosts) => {
    expect(hosts.filter(isPublic)).toEqual([])
  })

  it.each(['', 'x', '1.2.3', '1.2.3.256', '1.2.3.4.5', ':::', '1::2::3', '1:2:3:4:5:6:7', 'g::1', '::ffff:1.2.3.400'])(
    'is not public if it is no address: %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(false)
    },
  )

  it('is told from an address with a zone', () => {
    expect(isPublicAddress('fe80::1%eth0')).toBe(false)
  })
})
