// Which file systems' time stamps prove that a file has not changed. Numbers are f_type of statfs(2).

const LOCAL = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2fc12fc1, // zfs
  0xf2f52010, // f2fs
  0xca451a4e, // bcachefs
  0x794c7630, // overlayfs
]);

/** Their stores through a mapping, or by another host, need not reach our stat. */
const UNTRUSTED = new Set([
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x6969, // NFS
  0x517b, // SMB
  0xfe534d42, // SMB2
  0xff534d42, // CIFS
  0x65735546, // FUSE, virtiofs
  0x01021997, // 9p
  0x00c36400, // Ceph
  0x0bd00bd0, // Lustre
  0x47504653, // GPFS
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
    cacheable: trustRemoteStat || !UNTRUSTED.has(type),
    granularity: LOCAL.has(type) ? 20_000_000n : 2_000_000_000n,
  };
}

/** Where SQLite's shared memory does not work between hosts. */
export function isLocal(fileSystemType: number): boolean {
  return LOCAL.has(fileSystemType >>> 0);
}
