# SPDX-License-Identifier: Apache-2.0
# Reads ctest's LastTest.log, prints "N passed, N failed, N skipped". A GoogleTest program counts as the tests that it
# sums up, a pytest run likewise; where it failed without naming one (a crash, a leak), as one failure more. Any other
# entry counts as one.
function settle() {
  if (!open) return
  open = 0
  if (sums && !good && !skip && !n["FAILED"]) n["FAILED"] = 1
  if (!sums) n[good ? "PASSED" : skip ? "SKIPPED" : "FAILED"] = 1
  for (kind in n) total[kind] += n[kind]
}
/^[0-9]+\/[0-9]+ Test: / { settle(); split("", n); sums = good = skip = 0; open = 1 }
/^\[ *(PASSED|FAILED|SKIPPED) *\] [0-9]+ tests?[.,]/ { n[$2] = $4; sums = 1 }
/^[0-9]+ (passed|failed|skipped|errors?)[, ].* in [0-9.]+s/ {
  for (i = 1; i < NF; ++i) if ($(i + 1) ~ /^(passed|failed|skipped|errors?),?$/) n[toupper(substr($(i + 1), 1, 4)) == "PASS" ? "PASSED" : $(i + 1) ~ /^skip/ ? "SKIPPED" : "FAILED"] += $i
  sums = 1
}
/^Test Passed\./ { good = 1 }
/^Test Pass Reason:/ { skip = 1 }
END { settle(); printf "%d passed, %d failed, %d skipped\n", total["PASSED"], total["FAILED"], total["SKIPPED"] }
