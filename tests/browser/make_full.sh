#!/bin/sh
# Everything on a tiny model that has just learnt the story language, for the page of `plumb report full`:
# make_full.sh PLUMB FOLDER, which ends with FOLDER/full.html.
set -e
plumb=$1
folder=$2
rm -rf "$folder"
mkdir -p "$folder"
"$plumb" lm stories -n 1500 -o "$folder/stories"
"$plumb" lm train "$folder/stories/stories.txt" --tokenizer "$folder/stories" --run "$folder/lm" --width 32 --layers 3 \
  --heads 4 --key-heads 2 --hidden 64 --context 96 --steps 120 --rate 6e-3 --warmup 10 >"$folder/lm.txt"
"$plumb" mismatch full --model "$folder/lm/model" --run "$folder/run" --scale 0.01 --gold world:story --methods rloo,dpo \
  --evals cloze,stories --rounds 2 --max-tokens 24 >"$folder/full.txt"
"$plumb" report full "$folder/run" -o "$folder/full.html"
