"""What check_includes.py must find, on small trees, and that this repository passes."""

import tempfile
import unittest
from pathlib import Path

from check_includes import USES, allowed, violations


class CheckIncludes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def found(self, **files):
        for name, text in files.items():
            module, file = name.split("__")
            (self.root / "plumb" / module).mkdir(parents=True, exist_ok=True)
            (self.root / "plumb" / module / f"{file}.cc").write_text(text)
        return "\n".join(violations(self.root))

    def test_an_arrow_upwards_is_found_with_its_line(self):
        found = self.found(stats__x='\n#include "plumb/gap/board.h"\n')
        self.assertIn("x.cc:2: stats may not include gap", found)

    def test_two_modules_that_include_each_other_are_found(self):
        found = self.found(gap__x='#include "plumb/report/table.h"', report__y='#include "plumb/gap/board.h"')
        self.assertIn("gap may not include report", found)
        self.assertNotIn("report may not include gap", found)

    def test_an_unknown_module_is_found(self):
        self.assertIn("no such module", self.found(misc__x=""))

    def test_what_belongs_to_one_module_is_found_elsewhere(self):
        self.assertIn("printing", self.found(gap__x='fmt::print("x");'))
        self.assertIn("sockets", self.found(gap__x="#include <sys/socket.h>"))
        self.assertIn("printing", self.found(gap__x='std::getenv("HOME");'))

    def test_tests_and_comments_may_name_it(self):
        self.assertEqual("", self.found(gap__x_test='std::getenv("HOME");', stats__y="// printf(1)"))

    def test_a_loop_over_a_part_of_a_temporary_is_found_in_tests_too(self):
        lost = 'for (const auto& one : Json::parse(file)["cases"]) {'
        self.assertIn("give the whole a name", self.found(gap__x_test=lost))
        self.assertEqual("", self.found(gap__x_test="for (const auto& one : Json::parse(file)) {"))

    def test_a_library_may_not_use_what_its_module_may_not_include(self):
        (self.root / "CMakeLists.txt").write_text("plumb_module(stats  USES gap)\nplumb_module(gap USES stats)")
        self.assertIn("library stats may not use gap", self.found(base__x=""))

    def test_no_two_modules_may_include_each_other(self):
        for one in USES:
            for other in allowed(one) - {one}:
                self.assertNotIn(one, allowed(other))

    def test_this_repository_passes(self):
        self.assertEqual([], list(violations(Path(__file__).resolve().parent.parent)))


if __name__ == "__main__":
    unittest.main()
