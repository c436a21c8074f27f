// The progress record of one view, by Kollus's arithmetic, and the form in which it is reported.
// The scripted viewer (lms.py) does the same; one table of examples tests both.

// Sums of quarter seconds fall a hair short of the whole second.
const HAIR = 1e-6;

const whole = (value) => Math.floor(value + HAIR);

export class Record {
  // duration: whole seconds, cut into blockCount equal blocks
  constructor(duration, blockCount) {
    this.duration = duration;
    this.blockCount = blockCount;
    this.playtime = 0;
    this.showtime = 0;
    this.runtime = 0;
    this.position = 0;
    this.seen = [];
    this.blockTime = new Array(blockCount).fill(0);
    this.sessions = [];
  }

  // Plays from start to end (positions in the video, seconds) at rate.
  watch(start, end, rate) {
    end = Math.min(end, this.duration);
    if (end <= start) return;
    this.playtime += end - start;
    this.showtime += (end - start) / rate;
    this.runtime += (end - start) / rate;
    this.position = end;
    this.seen = joined([...this.seen, [start, end]]);
    for (let block = 0; block < this.blockCount; block += 1) this.#count(block, start, end);
  }

  // The player is open and does not play.
  idle(seconds) {
    this.runtime += seconds;
  }

  // Moves without playing.
  seek(position) {
    this.position = position;
  }

  data(identity) {
    return {
      ...identity,
      content_info: { ...identity.content_info, ...this.contentInfo() },
      block_info: this.blockInfo(),
    };
  }

  contentInfo() {
    const seen = this.seen.reduce((sum, [start, end]) => sum + end - start, 0);
    return {
      duration: this.duration,
      playtime: whole(this.playtime),
      real_playtime: whole(seen),
      playtime_percent: whole((this.playtime * 100) / this.duration),
      last_play_at: whole(this.position),
      runtime: whole(this.runtime),
      showtime: whole(this.showtime),
    };
  }

  blockInfo() {
    const blocks = {};
    this.blockTime.forEach((seconds, index) => {
      blocks[`b${index}`] = seconds > 0 ? 1 : 0;
      blocks[`t${index}`] = whole(seconds);
      blocks[`p${index}`] = whole(this.#percentSeen(index));
    });
    const sessions = this.sessions.map(({ block, first, last }) => ({
      block,
      start_time: whole(first),
      play_time: whole(last - first),
    }));
    return { block_count: this.blockCount, blocks, sessions };
  }

  #bounds(block) {
    const length = this.duration / this.blockCount;
    return [block * length, (block + 1) * length];
  }

  #count(block, start, end) {
    const [low, high] = this.#bounds(block);
    const first = Math.max(start, low);
    const last = Math.min(end, high);
    if (last <= first) return;
    this.blockTime[block] += last - first;
    const latest = this.sessions.at(-1);
    if (latest && latest.block === block && Math.abs(latest.last - first) < HAIR) latest.last = last;
    else this.sessions.push({ block, first, last });
  }

  #percentSeen(block) {
    const [low, high] = this.#bounds(block);
    const overlap = ([start, end]) => Math.max(0, Math.min(end, high) - Math.max(start, low));
    return (this.seen.reduce((sum, piece) => sum + overlap(piece), 0) * 100) / (high - low);
  }
}

// The form fields of a report: every placeholder replaced, an unknown one by nothing.
export function filled(templates, data) {
  const values = placeholders(data);
  const fill = (template) => template.replace(/\{([A-Z0-9_]+)\}/g, (_, name) => values[name] ?? "");
  return templates.map(([name, template]) => [name, fill(template)]);
}

function placeholders(data) {
  const { user_info: user, content_info: content, block_info: info } = data;
  const values = {
    JSON_DATA: JSON.stringify(data),
    CLIENT_USER_ID: user.client_user_id,
    PLAYER_ID: user.player_id,
    HARDWARE_ID: user.hardware_id,
    MEDIA_CONTENT_KEY: content.media_content_key,
    ENCODING_PROFILE_KEY: content.encoding_profile,
    START_AT: content.start_at,
    DURATION: content.duration,
    PLAY_TIME: content.playtime,
    REAL_PLAYTIME: content.real_playtime,
    PLAYTIME_PERCENT: content.playtime_percent,
    BLOCK_CNT: info.block_count,
    PLAY_BLOCK_JSON: JSON.stringify(info),
  };
  for (let index = 0; index < info.block_count; index += 1) {
    // 0-based in the JSON, 1-based in the placeholders
    values[`BLOCK_PLAY_${index + 1}`] = info.blocks[`b${index}`];
    values[`BLOCK_TIME_${index + 1}`] = info.blocks[`t${index}`];
  }
  for (const [name, value] of Object.entries(data.uservalues)) values[name.toUpperCase()] = value;
  return values;
}

function joined(pieces) {
  const result = [];
  for (const [start, end] of [...pieces].sort((a, b) => a[0] - b[0])) {
    const latest = result.at(-1);
    if (latest && start <= latest[1] + HAIR) latest[1] = Math.max(end, latest[1]);
    else result.push([start, end]);
  }
  return result;
}
