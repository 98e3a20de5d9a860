/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: a server in the guest for portforward.bats: serve ADDRESS PORT [reset]. Sends back what comes,
 * each connection in a process of its own; or resets each when something has come. Says "up".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void echo(int fd)
{
	static char data[1 << 16];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0)
		for (ssize_t at = 0, w; at < n; at += w)
			if ((w = write(fd, data + at, (size_t)(n - at))) <= 0)
				_exit(1);
}

static void reset(int fd)
{
	const struct linger now = { .l_onoff = 1 };
	char c;

	if (read(fd, &c, 1) == 1)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	int v6 = argc > 2 && strchr(argv[1], ':') != NULL, on = 1;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (argc < 3)
		return 2;
	in.sin_port = in6.sin6_port = htons((in_port_t)strtoul(argv[2], NULL, 10));
	if (inet_pton(v6 ? AF_INET6 : AF_INET, argv[1],
		      v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1)
		return 2;
	signal(SIGCHLD, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, v6 ? (void *)&in6 : (void *)&in, v6 ? sizeof(in6) : sizeof(in)) <
		    0 ||
	    listen(fd, 256) < 0) {
		perror(argv[1]);
		return 1;
	}
	puts("up");
	fflush(stdout);
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c < 0)
			return 1;
		if (fork() == 0) {
			close(fd);
			if (argc > 3)
				reset(c);
			else
				echo(c);
			_exit(0);
		}
		close(c);
	}
}
