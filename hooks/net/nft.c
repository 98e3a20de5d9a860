// SPDX-License-Identifier: Apache-2.0
/*
 * nft: runs nft(8) with the script on stdin; what it complains of goes into the error.
 * The program and not libnftables: it is there wherever nftables is used, and only who
 * wants NAT needs it.
 */
#include "nft.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"

#ifndef KATA_DEFAULT_NFT
#define KATA_DEFAULT_NFT "/usr/sbin/nft"
#endif

#define WORDS_SHOWN 400

/* The first lines: nft repeats the script below them. */
static int refused(int words_fd, int status, struct kata_err *err)
{
	char text[WORDS_SHOWN + 1] = "";
	ssize_t n = pread(words_fd, text, WORDS_SHOWN, 0);

	text[n > 0 ? n : 0] = '\0';
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	}
	return err_set(err, -EIO,
		       "nft exited with status %d; does this kernel have nf_tables and "
		       "nf_nat? Without NAT: --no-nat. It said: %s",
		       status, text);
}

static int run(int script_fd, int words_fd, struct kata_err *err)
{
	const struct proc_fd fds[] = { { script_fd, 0 },
				       { words_fd, 1 },
				       { words_fd, 2 } };
	char *const argv[] = { (char[]){ "nft" }, (char[]){ "-f" }, (char[]){ "-" },
			       NULL };
	struct proc_spawn sp = PROC_SPAWN_INIT;
	struct proc p = PROC_INIT;
	int status, rc;

	sp.path = KATA_DEFAULT_NFT;
	sp.argv = argv;
	sp.fds = fds;
	sp.n_fds = ARRAY_SIZE(fds);
	rc = proc_spawn(&sp, &p, err);
	if (rc < 0)
		return err_ctx(err, "NAT needs nft of nftables (without NAT: --no-nat)");
	status = proc_wait(&p);
	proc_done(&p);
	if (status < 0)
		return err_sys_code(err, status, "wait for nft");
	return status == 0 ? 0 : refused(words_fd, status, err);
}

int nft_load(const struct buf *script, struct kata_err *err)
{
	AUTO_CLOSE int script_fd = fs_memfd("ruleset", buf_ptr(script), buf_len(script));
	AUTO_CLOSE int words_fd = memfd_create("nft", MFD_CLOEXEC);

	if (script_fd < 0)
		return err_sys_code(err, script_fd, "memfd");
	if (words_fd < 0)
		return err_sys(err, "memfd");
	return run(script_fd, words_fd, err);
}
