/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_qemu: a VMM that is nothing but its control channel, to see how the driver
 * takes it. The last argument is what it does: one of scripts[].
 *
 * Like QEMU it talks QMP on descriptor 3: greets, answers commands, ends when the
 * channel is closed.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define QMP_FD 3
#define GREETING                                                                         \
	"{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7}}, \"capabilities\": []}}\r\n"

static void say(const char *text)
{
	size_t len = strlen(text);

	if (write(QMP_FD, text, len) != (ssize_t)len)
		exit(9);
}

/* One command; its id is the number behind "id":. Return: 0 at the end. */
static long hear(char *line, size_t size)
{
	size_t n = 0;
	char *id;

	while (n + 1 < size && read(QMP_FD, line + n, 1) == 1)
		if (line[n++] == '\n')
			break;
	line[n] = 0;
	id = strstr(line, "\"id\":");
	return id ? strtol(id + 5, NULL, 10) : 0;
}

static void answer(long id, const char *what)
{
	char text[512];

	snprintf(text, sizeof(text), "{%s, \"id\": %ld}\r\n", what, id);
	say(text);
}

/* Greets, negotiates and answers everything as QEMU does. */
static int good(void)
{
	char line[512];
	long id;

	say(GREETING);
	while ((id = hear(line, sizeof(line)))) {
		if (strstr(line, "\"stop\""))
			say("{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"STOP\"}\r\n");
		answer(id, "\"return\": {}");
	}
	return 0;
}

static int refuses(void)
{
	char line[512];
	long id;

	say(GREETING);
	answer(hear(line, sizeof(line)), "\"return\": {}");
	while ((id = hear(line, sizeof(line))))
		answer(id,
		       "\"error\": {\"class\": \"GenericError\", \"desc\": \"not\\u001b[31m now\"}");
	return 0;
}

static int guest_ends(void)
{
	char line[512];

	say(GREETING);
	answer(hear(line, sizeof(line)), "\"return\": {}");
	say("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}\r\n");
	return 0;
}

static int bad_option(void)
{
	fprintf(stderr, "fake_qemu: some warning\nfake_qemu: -foo: invalid option\n");
	return 1;
}

static int crashes(void)
{
	say(GREETING);
	fprintf(stderr, "oh\n");
	raise(SIGTERM); /* SIGSEGV would be the sanitizer's */
	return 0;
}

/* Lives on without its channel: must be killed. */
static int hangs_up(void)
{
	say(GREETING);
	close(QMP_FD);
	pause();
	return 0;
}

static int babbles(void)
{
	say("hello there\r\n");
	pause();
	return 0;
}

static int floods(void)
{
	char block[4096];

	signal(SIGPIPE, SIG_IGN);
	memset(block, '[', sizeof(block));
	while (write(QMP_FD, block, sizeof(block)) > 0)
		;
	pause();
	return 0;
}

static const struct {
	const char *name;
	int (*fn)(void);
} scripts[] = {
	{ "good", good },
	{ "refuses", refuses },
	{ "guest-ends", guest_ends },
	{ "bad-option", bad_option },
	{ "crashes", crashes },
	{ "hangs-up", hangs_up },
	{ "babbles", babbles },
	{ "floods", floods },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (strcmp(scripts[i].name, argv[argc - 1]) == 0)
			return scripts[i].fn();
	fprintf(stderr, "fake_qemu: no script %s\n", argv[argc - 1]);
	return 2;
}
