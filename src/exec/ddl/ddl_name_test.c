// SPDX-License-Identifier: Apache-2.0
//
// Names as PostgreSQL's makeObjectName makes them: joined by underscores, cut to 63 bytes where the
// longer part is, never inside a character.
#include "exec/ddl/ddl_int.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect(Ddl *d, const char *name1, const char *name2, const char *label,
                   const char *wanted)
{
    Str name = ddl_make_name(d, (NameParts){str_from(name1), str_from(name2), label});

    assert_string_equal(str_to_c(d->scope, name), wanted);
    assert_true(name.len <= NAME_BYTES_MAX);
}

static void test_names(void **state)
{
    Ddl d = {.scope = scope_open(NULL, "test")};

    (void)state;
    expect(&d, "t", "", "pkey", "t_pkey");
    expect(&d, "t", "a", "seq", "t_a_seq");
    expect(&d, "t", "a_b", "key1", "t_a_b_key1");
    expect(&d, "a_name_that_is_quite_long_as_table_names_go",
           "another_long_name_for_a_column_of_it", "seq",
           "a_name_that_is_quite_long_as__another_long_name_for_a_colum_seq");
    scope_close(d.scope);
}

/* Two-byte characters: the cut falls between them. */
static void test_characters_stay_whole(void **state)
{
    Ddl d = {.scope = scope_open(NULL, "test")};
    char umlauts[101];
    size_t bad_at;

    (void)state;
    for (int i = 0; i < 50; i++)
        memcpy(umlauts + 2 * i, "\xc3\xa4", 2);
    umlauts[100] = '\0';
    for (size_t label = 1; label < 10; label++) {
        char text[10] = {0};
        memset(text, 'x', label);
        Str name = ddl_make_name(&d, (NameParts){str_from(umlauts), str_from("col"), text});
        assert_true(str_utf8_valid(name, &bad_at));
        assert_true(name.len <= NAME_BYTES_MAX && name.len >= NAME_BYTES_MAX - 1);
    }
    scope_close(d.scope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_characters_stay_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
