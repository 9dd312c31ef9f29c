// Which file systems' time stamps prove that a file has not changed. Numbers are f_type of statfs(2).

/**
 * Of all others, known or not, it is not believed: what is stored through a mapping in memory file systems, or by another
 * host, need not reach our stat.
 */
const LOCAL = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0xf2f52010, // f2fs
  0xca451a4e, // bcachefs
  0x794c7630, // overlayfs
]);

export interface TimeStampTrust {
  /** Whether an unchanged identity proves unchanged bytes. */
  readonly cacheable: boolean;
  /** Two changes within so many nanoseconds may leave the same time stamp. */
  readonly granularity: bigint;
}

export function timeStampTrust(fileSystemType: number, trustRemoteStat: boolean): TimeStampTrust {
  const type = fileSystemType >>> 0;
  return {
    cacheable: trustRemoteStat || LOCAL.has(type),
    granularity: LOCAL.has(type) ? 20_000_000n : 2_000_000_000n,
  };
}

/** Where SQLite's shared memory does not work between hosts. */
export function isLocal(fileSystemType: number): boolean {
  return LOCAL.has(fileSystemType >>> 0);
}
