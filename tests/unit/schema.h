/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema: JSON Schema draft 04, the part that the OCI schemas use, for tests.
 *
 * Keywords: type, enum, required, properties, patternProperties,
 * additionalProperties, items, minItems, maxItems, minLength, pattern, minimum,
 * maximum, allOf, anyOf, oneOf and $ref, across files. A keyword it does not know
 * is an error, so that it never passes what it did not look at.
 */
#ifndef KATA_TESTS_UNIT_SCHEMA_H
#define KATA_TESTS_UNIT_SCHEMA_H

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"

struct schema_dir;

/** schema_dir_open() - schemas below @path, read as they are needed. NULL when there is no such directory. */
struct schema_dir *schema_dir_open(const char *path);
void schema_dir_free(struct schema_dir *dir); /* takes NULL */
DEFINE_AUTO(schema_dir)

/** schema_dir_find() - the directory @name of $KATA_SCHEMAS, or of ../shared/schemas beside the sources. */
struct schema_dir *schema_dir_find(const char *name);

/** struct schema - one schema and the file its references are relative to. */
struct schema {
	const struct json *node;
	const char *file;
};

/**
 * schema_get() - the schema @ref, "file.json" or "file.json#/definitions/x", with chains
 * of $ref followed. @base: file that a ref without one is relative to, may be NULL.
 */
int schema_get(struct schema_dir *dir, const char *base, const char *ref,
	       struct schema *ret_schema, struct kata_err *err) MUST_CHECK;

/** schema_child() - @node, found inside @parent, with chains of $ref followed. */
int schema_child(struct schema_dir *dir, const struct schema *parent,
		 const struct json *node, struct schema *ret_schema,
		 struct kata_err *err) MUST_CHECK;

/** schema_check() - @value against the schema @ref. The error begins with the JSON path. */
int schema_check(struct schema_dir *dir, const char *ref, const struct json *value,
		 struct kata_err *err) MUST_CHECK;

#endif
