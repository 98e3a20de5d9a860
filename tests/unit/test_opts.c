// SPDX-License-Identifier: Apache-2.0
/* The forms that options may have, and what is said when they do not. */
#include <errno.h>
#include <stdio.h>

#include "../../src/opts.h"
#include "suite.h"

struct args {
	bool help, force;
	const char *name;
	unsigned count;
	int colour;
	struct opts_list env;
};

static const char *const colours[] = { "red", "green", NULL };

static const struct opt table[] = {
	{ "force", 'f', OPT_SWITCH, NULL, offsetof(struct args, force), NULL, "do it" },
	{ "file-name", 'n', OPT_STR, "NAME", offsetof(struct args, name), NULL,
	  "a name" },
	{ "count", 0, OPT_COUNT, "N", offsetof(struct args, count), NULL, "a number" },
	{ "colour", 'c', OPT_CHOICE, "COLOUR", offsetof(struct args, colour), colours,
	  "a colour" },
	{ "old", 0, OPT_IGNORE, "X", 0, NULL, "ignored" },
	{ "older", 0, OPT_IGNORE, NULL, 0, NULL, "ignored" },
	{ "env", 'e', OPT_LIST, "NAME=VALUE", offsetof(struct args, env), NULL, "more" },
	{ "regex", 'r', OPT_REFUSE, NULL, 0, NULL, "name it" },
	{ "schema", 0, OPT_REFUSE, "X", 0, NULL, "there is none" },
	{ "help", 'h', OPT_SWITCH, NULL, offsetof(struct args, help), NULL, "help" },
};

static struct args got;
static char *room[16];
static struct opts_words words;
static struct kata_err err;

static int parse(bool stop, const char *const *argv)
{
	const struct opts o = { table, ARRAY_SIZE(table), "test", stop };
	int argc = 0;

	while (argv[argc])
		argc++;
	memset(&got, 0, sizeof(got));
	words = (struct opts_words){ room, 0 };
	return opts_parse(&o, argc, (char **)argv, &got, &words, &err);
}

#define PARSE(...) parse(false, (const char *const[]){ __VA_ARGS__, NULL })
#define PARSE_STOP(...) parse(true, (const char *const[]){ __VA_ARGS__, NULL })

START_TEST(every_form_of_a_value)
{
	ck_assert_int_eq(PARSE("--file-name", "a"), 0);
	ck_assert_str_eq(got.name, "a");
	ck_assert_int_eq(PARSE("--file-name=b=c"), 0);
	ck_assert_str_eq(got.name, "b=c");
	ck_assert_int_eq(PARSE("-file-name", "d"), 0);
	ck_assert_str_eq(got.name, "d");
	ck_assert_int_eq(PARSE("-file-name=e"), 0);
	ck_assert_str_eq(got.name, "e");
	ck_assert_int_eq(PARSE("-n", "f"), 0);
	ck_assert_str_eq(got.name, "f");
	ck_assert_int_eq(PARSE("-n=g"), 0);
	ck_assert_str_eq(got.name, "g");
	/* a value may look like an option */
	ck_assert_int_eq(PARSE("--file-name", "--force"), 0);
	ck_assert_str_eq(got.name, "--force");
	ck_assert(!got.force);
	ck_assert_int_eq(PARSE("--file-name="), 0);
	ck_assert_ptr_null(got.name);
}
END_TEST

static const struct {
	const char *arg;
	int rc;
	bool on;
} switches[] = {
	{ "--force", 0, true },
	{ "-force", 0, true },
	{ "-f", 0, true },
	{ "--force=true", 0, true },
	{ "--force=1", 0, true },
	{ "--force=false", 0, false },
	{ "-f=false", 0, false },
	{ "--force=maybe", -EINVAL, false },
	{ "--force=", -EINVAL, false },
	{ "---force", -EINVAL, false },
};

START_TEST(every_form_of_a_switch)
{
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		ck_assert_msg(PARSE(switches[i].arg) == switches[i].rc, "%s",
			      switches[i].arg);
		ck_assert_msg(got.force == switches[i].on, "%s", switches[i].arg);
	}
}
END_TEST

START_TEST(last_one_counts)
{
	ck_assert_int_eq(PARSE("-n", "a", "--force", "--file-name=b", "-f=false"), 0);
	ck_assert_str_eq(got.name, "b");
	ck_assert(!got.force);
}
END_TEST

START_TEST(words_and_options_mix)
{
	ck_assert_int_eq(PARSE("one", "-f", "two", "-", "--", "-f", "--"), 0);
	ck_assert(got.force);
	ck_assert_uint_eq(words.n, 5);
	ck_assert_str_eq(words.v[0], "one");
	ck_assert_str_eq(words.v[1], "two");
	ck_assert_str_eq(words.v[2], "-");
	ck_assert_str_eq(words.v[3], "-f");
	ck_assert_str_eq(words.v[4], "--");
}
END_TEST

START_TEST(first_word_may_end_options)
{
	ck_assert_int_eq(PARSE_STOP("-f", "ls", "-la", "--", "--nonsense"), 0);
	ck_assert(got.force);
	ck_assert_uint_eq(words.n, 4);
	ck_assert_str_eq(words.v[1], "-la");
	ck_assert_str_eq(words.v[2], "--");
}
END_TEST

START_TEST(numbers_are_strict)
{
	static const char *const bad[] = { "",	 "x",  "-1",	     "1x",
					   " 1", "+1", "4294967296", "1.0" };

	ck_assert_int_eq(PARSE("--count", "17"), 0);
	ck_assert_uint_eq(got.count, 17);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		ck_assert_msg(PARSE("--count", bad[i]) == -EINVAL, "%s", bad[i]);
	ck_assert_str_eq(err.msg, "--count: \"1.0\" is no number");
}
END_TEST

START_TEST(choices)
{
	ck_assert_int_eq(PARSE("-c", "green"), 0);
	ck_assert_int_eq(got.colour, 1);
	ck_assert_int_eq(PARSE("--colour=blue"), -EINVAL);
	ck_assert_str_eq(err.msg, "--colour: \"blue\" is none of: red, green");
}
END_TEST

START_TEST(ignored_options_take_what_they_take)
{
	ck_assert_int_eq(PARSE("--old", "x", "--older", "word"), 0);
	ck_assert_uint_eq(words.n, 1);
	ck_assert_str_eq(words.v[0], "word");
	ck_assert_int_eq(PARSE("--older=perhaps"), -EINVAL);
}
END_TEST

START_TEST(lists_keep_all_in_order)
{
	const struct opts o = { table, ARRAY_SIZE(table), "test", false };

	ck_assert_int_eq(PARSE("-e", "A=1", "word", "--env=B=2,3", "-e=", "-env", "D"),
			 0);
	ck_assert_uint_eq(got.env.n, 4);
	ck_assert_str_eq(got.env.v[0], "A=1");
	ck_assert_str_eq(got.env.v[1], "B=2,3");
	ck_assert_str_eq(got.env.v[2], "");
	ck_assert_str_eq(got.env.v[3], "D");
	ck_assert_ptr_null(got.env.v[4]);
	opts_done(&o, &got);
	ck_assert_ptr_null(got.env.v);
	ck_assert_int_eq(PARSE("word"), 0);
	ck_assert_ptr_null(got.env.v);
}
END_TEST

START_TEST(refusals_give_the_reason)
{
	ck_assert_int_eq(PARSE("-r"), -ENOTSUP);
	ck_assert_str_eq(err.msg, "--regex is not supported: name it");
	ck_assert_int_eq(PARSE("--schema=5"), -ENOTSUP);
	ck_assert_int_eq(PARSE("--schema", "5"), -ENOTSUP);
	ck_assert_str_eq(err.msg, "--schema is not supported: there is none");
}
END_TEST

START_TEST(mistakes_are_named)
{
	ck_assert_int_eq(PARSE("--forse"), -EINVAL);
	ck_assert_str_eq(err.msg,
			 "unknown option --forse of test; did you mean --force?");
	ck_assert_int_eq(PARSE("--forse=true"), -EINVAL);
	ck_assert_str_eq(err.msg,
			 "unknown option --forse of test; did you mean --force?");
	ck_assert_int_eq(PARSE("-x"), -EINVAL);
	ck_assert_str_eq(err.msg, "unknown option -x of test");
	/* podman looks for these words */
	ck_assert_int_eq(PARSE("--file-name"), -EINVAL);
	ck_assert_str_eq(err.msg, "flag needs an argument: --file-name");
}
END_TEST

START_TEST(nothing_at_all)
{
	const char *const none[] = { NULL };

	ck_assert_int_eq(parse(false, none), 0);
	ck_assert_uint_eq(words.n, 0);
}
END_TEST

START_TEST(help_is_aligned)
{
	const struct opts o = { table, 2, "test", false };
	AUTO_FREE char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	opts_print(&o, f);
	fclose(f);
	ck_assert_str_eq(text, "  -f, --force           do it\n"
			       "  -n, --file-name NAME  a name\n");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		every_form_of_a_value,
		every_form_of_a_switch,
		last_one_counts,
		words_and_options_mix,
		first_word_may_end_options,
		numbers_are_strict,
		choices,
		ignored_options_take_what_they_take,
		lists_keep_all_in_order,
		refusals_give_the_reason,
		mistakes_are_named,
		nothing_at_all,
		help_is_aligned,
	};

	return suite_run("opts", tests, ARRAY_SIZE(tests));
}
