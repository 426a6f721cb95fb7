/**
 * Becomes the account that the global section names (`user`, `group`, `uid`, `gid`), for good.
 *
 * @returns what went wrong, in HAProxy's words; null when nothing did or nothing was asked for
 */
export function dropPrivileges(account: { readonly uid?: number | null; readonly gid?: number | null }): string | null {
  const { uid = null, gid = null } = account;
  if (gid !== null && gid !== 0) {
    try {
      if (process.getuid!() === 0) process.setgroups!([gid]);
      process.setgid!(gid);
    } catch {
      return `[haproxy.main()] Cannot set gid ${gid}.`;
    }
  }
  if (uid !== null && uid !== 0) {
    try {
      process.setuid!(uid);
    } catch {
      return `[haproxy.main()] Cannot set uid ${uid}.`;
    }
  }
  return null;
}
