// File system calls that Node does not offer. All throw IoError; those that return bool say false where the file system
// cannot, which is no error.
#pragma once

#include <cstdint>
#include <string>

namespace theta {

/// Reserves `bytes` from the start of the file and makes it at least that long.
void fallocate_file(int fd, uint64_t bytes);

/// Makes `to` share the blocks of `from` (FICLONE).
bool reflink(int from, int to);

/// Bytes on disk that no other file shares: what deleting the file's only name would free. Blocks that a reflink shares
/// count for nobody; on file systems that cannot tell, every allocated block counts.
uint64_t unshared_bytes(int fd);

/// Swaps two names in one step (RENAME_EXCHANGE).
bool exchange(const std::string& a, const std::string& b);

/// An exclusive flock; false when somebody else holds it.
bool try_lock(int fd);
void unlock(int fd);

/// f_type of statfs.
uint64_t file_system_type(const std::string& path);

/// "ENOSPC" for ENOSPC, as Node spells error codes.
const char* errno_name(int number);

}  // namespace theta
