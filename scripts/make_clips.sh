#!/bin/sh
# Makes the three sample clips that stand for real lectures in the sandbox: server/sandbox/media/*.webm.
#
# Each shows its own time: a running time code, a line that fills, and a ball that lands on a new mark every second
# (with a note as it lands), so a person and a test both see where the player stands. A curtain with the title of
# the act closes and opens at every act.
#
# Needs ffmpeg with libass, libvpx and libopus, and the fonts of fonts-noto-cjk.
# Usage: scripts/make_clips.sh [output folder]
set -eu

out=${1:-$(dirname "$0")/../server/sandbox/media}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

font="Noto Serif CJK KR"
fps=25
stage_height=308 # the band below it holds the time code and is never covered by the curtain

# ASS colors are &HBBGGRR.
paper="&HE3EEF5&"
ink="&H1A1C20&"
red="&H2A2BA8&"
fold="&H222386&"

# stamp SECONDS: the time as ASS writes it.
stamp() {
    printf '%d:%02d:%02d.00' $(($1 / 3600)) $(($1 / 60 % 60)) $(($1 % 60))
}

# event LAYER START END TEXT: one line of the script of drawings.
event() {
    printf 'Dialogue: %s,%s,%s,Bill,,0,0,0,,%s\n' "$1" "$(stamp "$2")" "$(stamp "$3")" "$4"
}

# half_curtain FROM_X TO_X START END: one half, still for 1.8 s, then drawn aside.
half_curtain() {
    folds=""
    for x in 22 66 110 154 198 242 286; do
        folds="$folds m $x 0 l $((x + 12)) 0 $((x + 12)) $stage_height $x $stage_height"
    done
    move="\\an7\\bord0\\shad0\\move($1,0,$2,0,1800,2800)"
    event 2 "$3" "$4" "{$move\\1c$red\\p1}m 0 0 l 320 0 320 $stage_height 0 $stage_height"
    event 3 "$3" "$4" "{$move\\1c$fold\\p1}$folds"
}

# act START NUMBER_KO TITLE_KO TITLE_EN: the curtain with its lettering.
act() {
    end=$(($1 + 3))
    half_curtain 0 -320 "$1" "$end"
    half_curtain 320 640 "$1" "$end"
    lettering="\\an5\\bord0\\shad0\\1c$paper\\fad(0,300)"
    event 4 "$1" $(($1 + 2)) "{$lettering\\pos(320,80)\\fs26}$2"
    event 4 "$1" $(($1 + 2)) "{$lettering\\pos(320,146)\\b1\\fs78}$3"
    event 4 "$1" $(($1 + 2)) "{$lettering\\pos(320,218)\\fs31}$4"
}

# marks DURATION: the stage floor with one mark a second.
marks() {
    ticks="m 60 282 l 580 282 580 284 60 284"
    for i in 0 1 2 3 4 5 6 7 8 9 10; do
        x=$((60 + 52 * i))
        ticks="$ticks m $((x - 1)) 284 l $((x + 1)) 284 $((x + 1)) 292 $((x - 1)) 292"
    done
    event 0 0 "$1" "{\\an7\\pos(0,0)\\bord0\\shad0\\1c$ink\\p1}$ticks"
}

# script DURATION TITLE_KO TITLE_EN ACTS: the whole script of drawings of one clip.
script() {
    cat <<ASS
[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360
WrapStyle: 2
[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, BackColour, Bold, Italic, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Bill,$font,20,$ink,$ink,$ink,0,0,1,0,0,7,0,0,0,1
[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
ASS
    bar="\\an7\\bord0\\shad0\\pos(150,333)"
    event 0 0 "$1" "{\\an7\\pos(0,0)\\bord0\\shad0\\1c$ink\\p1}m 30 26 l 610 26 610 30 30 30 m 30 33 l 610 33 610 34 30 34"
    event 0 0 "$1" "{\\an5\\pos(320,82)\\b1\\fs60\\1c$ink}$2"
    event 0 0 "$1" "{\\an5\\pos(320,134)\\fs27\\1c$ink}$3"
    event 5 0 "$1" "{\\an7\\pos(0,0)\\bord0\\shad0\\1c$ink\\p1}m 0 $stage_height l 640 $stage_height 640 360 0 360"
    event 6 0 "$1" "{$bar\\1c&H5A5E66&\\p1}m 0 0 l 380 0 380 4 0 4"
    event 7 0 "$1" "{$bar\\1c$paper\\fscx0\\t(0,$(($1 * 1000)),\\fscx100)\\p1}m 0 0 l 380 0 380 4 0 4"
    event 6 0 "$1" "{\\an6\\pos(612,334)\\fs22\\1c$paper}$(printf '%d:%02d' $(($1 / 60)) $(($1 % 60)))"
    marks "$1"
    eval "$4"
}

# clip NAME DURATION KEY_HZ TITLE_KO TITLE_EN ACTS: one film, DURATION seconds to the frame.
clip() {
    script "$2" "$4" "$5" "$6" >"$work/$1.ass"
    # A new note of the scale every second: ld(0) is the step, ld(1) the time since it was struck.
    steps="4*eq(ld(0),1)+7*eq(ld(0),2)+9*eq(ld(0),3)+12*eq(ld(0),4)+9*eq(ld(0),5)+7*eq(ld(0),6)+2*eq(ld(0),7)"
    pitch="$3*pow(2,($steps)/12)"
    tone="st(0,mod(floor(t),8));st(1,mod(t,1));st(2,2*PI*ld(1)*$pitch)"
    tone="$tone;min(1,ld(1)*60)*exp(-3.2*ld(1))*(0.3*sin(ld(2))+0.09*sin(2*ld(2))+0.03*sin(3*ld(2)))"
    tone="$tone+0.035*sin(PI*t*$3)+0.02*sin(1.5*PI*t*$3)"
    # The sound ends a little before the picture, so that the file is exactly as long as its frames. It also starts
    # 20 ms late: Opus's pre-skip would otherwise begin before zero and shift the whole picture by 7 ms.
    sound_end=$(($2 - 1))
    clock="%{eif\\:floor(t/60)\\:d}\\:%{eif\\:mod(floor(t)\\,60)\\:d\\:2}.%{eif\\:floor(mod(t*10+0.001\\,10))\\:d}"
    ffmpeg -nostdin -hide_banner -loglevel error -y \
        -f lavfi -i "color=c=0xF5EEE3:s=640x360:r=$fps:d=$2" \
        -f lavfi -i "color=c=0xA82B2A:s=44x44:r=$fps:d=$2,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*clip(21.5-hypot(X-21.5,Y-21.5)+0.5,0,1)'" \
        -f lavfi -i "aevalsrc=exprs='$tone':s=48000:d=$sound_end.9" \
        -filter_complex "
            [0][1]overlay=x='38+520*(1-abs(mod(t/10,2)-1))':y='238-300*mod(t,1)*(1-mod(t,1))':eval=frame,
            ass=$work/$1.ass,
            drawtext=font='$font':fontsize=26:fontcolor=0xF5EEE3:x=30:y=322:text='$clock',format=yuv420p[picture];
            [2]afade=t=in:d=0.3,afade=t=out:st=$sound_end:d=0.9,asetpts=PTS+0.02/TB[sound]" \
        -map '[picture]' -map '[sound]' -frames:v $(($2 * fps)) \
        -c:v libvpx-vp9 -b:v 0 -crf 36 -deadline good -cpu-used 1 -row-mt 0 -threads 1 \
        -g $((2 * fps)) -keyint_min $((2 * fps)) -force_key_frames 'expr:gte(t,n_forced*2)' \
        -c:a libopus -b:a 28k -ac 1 \
        -map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -cues_to_front 1 "$out/$1.webm"
}

mkdir -p "$out"
clip overture 20 261.63 "서곡" "Overture" '
    act 0 "제1장" "불이 꺼지고" "The lights go down"
    act 10 "제2장" "막이 오르고" "The curtain goes up"'
clip first-act 45 220.00 "1막" "Act One" '
    act 0 "제1장" "등장" "Enter"
    act 15 "제2장" "사건" "Something happens"
    act 30 "제3장" "물음" "A question is left"'
clip second-act 70 196.00 "2막" "Act Two" '
    act 0 "제1장" "다시" "Once more"
    act 16 "제2장" "뒤집힘" "The turn"
    act 34 "제3장" "대답" "The answer"
    act 52 "제4장" "커튼콜" "Curtain call"'
