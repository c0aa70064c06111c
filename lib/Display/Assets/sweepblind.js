(function (sweep) {
  const { data, axes, make, link, picture, value, action, dialog, download, fileName, zooming, list } = sweep;

  // Pictures of two values of an axis that agree in every other axis.
  function pairs(axis, one, other) {
    const found = new Map();
    data.pictures.forEach((_, at) => {
      const own = picture(at).values[axis.at];
      if (own !== one && own !== other) return;
      const key = JSON.stringify(axes.filter(each => each !== axis).map(each => picture(at).values[each.at]));
      const pair = found.get(key) || {};
      pair[own === one ? 'a' : 'b'] = at;
      found.set(key, pair);
    });
    return [...found.values()].filter(pair => 'a' in pair && 'b' in pair);
  }

  const comparable = () => axes.filter(axis => axis.label !== 'prompt' && axis.values.some((_, one) =>
    axis.values.some((__, other) => other > one && pairs(axis, one, other).length > 0)));

  sweep.canCompare = () => comparable().length > 0;

  // Drawn by the system's random numbers, so that nobody can know the sides.
  const random = most => Math.floor(crypto.getRandomValues(new Uint32Array(1))[0] / 4294967296 * most);

  function shuffled(entries) {
    for (let i = entries.length - 1; i > 0; i--) {
      const j = random(i + 1);
      [entries[i], entries[j]] = [entries[j], entries[i]];
    }
    return entries;
  }

  // The chance of a split at least as uneven where neither is better: two-sided sign test, without ties.
  function signTest(wins, losses) {
    const all = wins + losses;
    let term = Math.pow(0.5, all), sum = 0;
    for (let i = 0; i <= Math.min(wins, losses); i++) {
      sum += term;
      term *= (all - i) / (i + 1);
    }
    return Math.min(1, 2 * sum);
  }

  sweep.blind = function () {
    const body = make('div', { className: 'sweep-blind' });
    const element = dialog(make('div', { className: 'sweep-head' }, make('strong', { textContent: 'Blind comparison' }),
      make('span', { className: 'sweep-space' }), action('close', 'Close', () => element.close())), body);
    let keys = {};
    element.addEventListener('keydown', event => {
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });

    function setUp() {
      keys = {};
      const options = comparable();
      const choices = names => names.map((text, at) => make('option', { value: at, textContent: text }));
      const axisList = make('select', { name: 'axis' }, ...choices(options.map(axis => axis.label)));
      const first = make('select', { name: 'first' }), second = make('select', { name: 'second' });
      const told = make('p', { className: 'lab-note', 'aria-live': 'polite' });
      const begin = action('begin', 'Begin', () => ask(axis(), Number(first.value), Number(second.value)));
      const axis = () => options[Number(axisList.value)];
      const fill = () => {
        for (const part of [first, second]) part.replaceChildren(...choices(axis().values));
        second.value = String(axis().values.length - 1);
        tell();
      };
      const tell = () => {
        const many = first.value === second.value ? 0 : pairs(axis(), Number(first.value), Number(second.value)).length;
        told.textContent = many === 0 ? 'No two pictures differ in these values alone.'
          : `${many} pair${many === 1 ? '' : 's'} of pictures that differ in this alone. Order and sides are random; `
            + 'names stay hidden until the end.';
        begin.disabled = many === 0;
      };
      axisList.addEventListener('change', fill);
      first.addEventListener('change', tell);
      second.addEventListener('change', tell);
      const field = (text, part) => make('label', { className: 'sweep-field' }, make('span', { textContent: text }), part);
      body.replaceChildren(make('div', { className: 'sweep-setup' },
        field('Compare', axisList), field('of', first), field('with', second), begin), told);
      fill();
      begin.focus();
    }

    function ask(axis, one, other) {
      const asked = shuffled(pairs(axis, one, other).map(pair => ({ ...pair, swapped: random(2) === 1 })));
      const votes = [];
      const question = make('p', { className: 'sweep-question' }), told = make('p', { className: 'lab-note', 'aria-live': 'polite' });
      const stage = make('div', { className: 'sweep-stage' });
      stage.style.setProperty('--panes', 2);
      const zoom = zooming(stage);
      const vote = choice => {
        const { a, b, swapped } = asked[votes.length];
        const [left, right] = swapped ? [b, a] : [a, b];
        const better = choice === 'tie' ? 'tie' : (choice === 'left') === swapped ? 'b' : 'a';
        votes.push({ left: picture(left).path, right: picture(right).path, choice, better });
        next();
      };
      const undo = () => { if (votes.pop()) next(); };
      const end = () => result(axis, one, other, votes, asked.length);
      const next = () => {
        if (votes.length === asked.length) { end(); return; }
        const { a, b, swapped } = asked[votes.length];
        const sides = swapped ? [b, a] : [a, b];
        const shared = axes.filter(each => each !== axis).map(each => sweep.titled(each, value(a, each)));
        question.textContent = shared.join(' · ');
        told.textContent = `Pair ${votes.length + 1} of ${asked.length}. `
          + 'Keys: ← left, → right, ↓ no difference, Backspace takes the last back.';
        stage.replaceChildren(...sides.map((at, side) => {
          const { width, height } = picture(at);
          const image = make('img', { alt: `${side === 0 ? 'left' : 'right'} picture`, width, height, draggable: false });
          image.src = link(picture(at).path);
          return make('div', { className: 'sweep-pane' }, make('div', { className: 'sweep-frame' }, image));
        }));
        zoom.reset();
      };
      keys = { ArrowLeft: () => vote('left'), ArrowRight: () => vote('right'), ArrowDown: () => vote('tie'), Backspace: undo };
      body.replaceChildren(question, stage, make('div', { className: 'sweep-setup sweep-votes' },
        action('left', '← Left is better', () => vote('left')), action('tie', '↓ No difference', () => vote('tie')),
        action('right', 'Right is better →', () => vote('right')),
        action('undo', 'Undo', undo), action('end', 'End now', end)), told);
      next();
      body.querySelector('[name=tie]').focus();
    }

    function result(axis, one, other, votes, asked) {
      keys = {};
      const counts = { a: 0, b: 0, tie: 0 };
      votes.forEach(vote => counts[vote.better]++);
      const chance = signTest(counts.a, counts.b), names = [one, other].map(at => sweep.titled(axis, axis.values[at]));
      const share = wins => (votes.length === 0 ? '–' : `${wins} of ${votes.length}`);
      const content = {
        sweep: data.title, axis: axis.label, a: axis.values[one], b: axis.values[other], pairs: asked, counts, sign_test: chance, votes,
      };
      const rows = [[names[0], share(counts.a)], [names[1], share(counts.b)], ['no difference', share(counts.tie)]];
      body.replaceChildren(list(rows, 'sweep-settings sweep-result'),
        make('p', { className: 'lab-note', textContent: counts.a + counts.b === 0 ? 'No picture was preferred.'
          : `Where neither is better, a split at least this uneven comes with a probability of ${chance.toPrecision(2)} `
            + '(two-sided sign test without ties).' }),
        make('div', { className: 'sweep-setup' },
          action('save', 'Save as JSON', () =>
            download(fileName('-comparison.json'), `${JSON.stringify(content, null, 2)}\n`, 'application/json')),
          action('again', 'Another comparison', setUp)));
      body.querySelector('button').focus();
    }

    setUp();
  };
})(window.labSweep);
