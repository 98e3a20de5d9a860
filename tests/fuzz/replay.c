/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay: a main for fuzz targets that runs them over files instead of libFuzzer,
 * so that every find stays a test with any compiler.
 *
 * `fuzz_NAME [FILE...]`; without files all of tests/fuzz/corpus/NAME/. Each file is run
 * whole and cut at every length up to CUT_MAX: readers of lengths break there. TAP on stdout;
 * a crash ends the program in the midst of the plan, which is a failure.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUT_MAX = 512, FILE_MAX = 4 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An own heap block of the exact size, so that a read past the end is seen. */
static void run_bytes(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static int run_file(const char *path)
{
	uint8_t *data;
	size_t size, cut;
	FILE *f = fopen(path, "re");

	if (!f)
		return -errno;
	data = malloc(FILE_MAX);
	if (!data)
		abort();
	size = fread(data, 1, FILE_MAX, f);
	fclose(f);
	run_bytes(data, size);
	for (cut = 0; cut < size && cut < CUT_MAX; cut++)
		run_bytes(data, cut);
	free(data);
	return 0;
}

static int report(unsigned n, const char *path)
{
	const char *base = strrchr(path, '/');
	int r = run_file(path);

	printf("%sok %u - %s", r ? "not " : "", n, base ? base + 1 : path);
	if (r)
		printf(": %s", strerror(-r));
	putchar('\n');
	fflush(stdout);
	return r;
}

static int replay_corpus(const char *program)
{
	const char *srcdir = getenv("KATA_SRCDIR");
	const char *name = strrchr(program, '/');
	char dir[PATH_MAX], path[PATH_MAX + 1 + NAME_MAX];
	struct dirent **files;
	int failed = 0, count, i;
	unsigned run = 0;

	name = name ? name + 1 : program;
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
		 name);
	count = scandir(dir, &files, NULL, alphasort);
	if (count < 0) {
		printf("Bail out! %s: %s\n", dir, strerror(errno));
		return 1;
	}
	for (i = 0; i < count; i++) {
		if (files[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", dir, files[i]->d_name);
			failed |= report(++run, path);
		}
		free(files[i]);
	}
	free(files);
	printf("1..%u\n", run);
	return failed != 0;
}

int main(int argc, char **argv)
{
	int failed = 0, i;

	if (argc < 2)
		return replay_corpus(argv[0]);
	for (i = 1; i < argc; i++)
		failed |= report((unsigned)i, argv[i]);
	printf("1..%d\n", argc - 1);
	return failed != 0;
}
