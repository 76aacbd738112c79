// The processes behind one editor, and whom they are connected to. Linux: read from /proc.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** How often it is looked for connections, in milliseconds. */
const LOOK = 500;

/** The process ids of the programs that an editor with this home folder started. */
export function processesOf(home) {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && read(`/proc/${pid}/environ`).split('\0').includes(`HOME=${home}`));
}

/** The process ids of an editor's servers. */
export function serving(editor) {
  return processesOf(editor.home).filter((pid) => read(`/proc/${pid}/cmdline`).includes('ghostnote\0serve'));
}

/** From now on, collect whom the programs of a home folder connect to, other than this machine itself. */
export function watchContacts(home) {
  const contacts = new Set();
  const timer = setInterval(() => processesOf(home).flatMap(strangers).forEach((one) => contacts.add(one)), LOOK);
  return { contacts, timer };
}

/** The remote addresses of a process's connections, with the program; addresses are as the kernel writes them. */
function strangers(pid) {
  const mine = new Set(socketsOf(pid));
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((kind) => read(`/proc/${pid}/net/${kind}`).trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => mine.has(fields[9]) && !isThisMachine(fields[2]))
    .map((fields) => `${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()} to ${fields[2]}`);
}

/** Nobody (all zero), 127.x.x.x, ::1 or the former in the form of the latter. */
function isThisMachine(remote) {
  const [address] = remote.split(':');
  return /^0+$/.test(address) || /^(0{16}FFFF0000)?[0-9A-F]{6}7F$/.test(address) || address === '00000000000000000000000001000000';
}

function socketsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1] ?? []);
  } catch {
    return [];
  }
}

/** Processes end while they are looked at. */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path) {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
