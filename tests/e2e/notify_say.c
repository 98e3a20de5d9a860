/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify_say: what a program in a container says at its NOTIFY_SOCKET: each argument is a datagram,
 * "\n" in it a new line. Linked statically, for any root file system. Fails as send does.
 *
 * usage: notify_say TEXT...
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (!path || strlen(path) >= sizeof(sa.sun_path)) {
		fputs("no NOTIFY_SOCKET\n", stderr);
		return 2;
	}
	memcpy(sa.sun_path, path, strlen(path));
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0) {
		perror(path);
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		char *at;

		while ((at = strstr(argv[i], "\\n"))) {
			*at = '\n';
			memmove(at + 1, at + 2, strlen(at + 2) + 1);
		}
		if (send(fd, argv[i], strlen(argv[i]), 0) < 0) {
			perror("send");
			return 1;
		}
	}
	return 0;
}
