window.labSweep = (function () {
  const data = JSON.parse(document.getElementById('sweep-data').textContent);
  const root = document.getElementById('sweep');
  const axes = data.fields.map((field, at) => ({ ...field, at })).filter(field => field.isAxis);
  const chosen = axes.map(() => new Set());
  const selected = new Set();
  const state = { rows: -1, columns: -1, order: '', size: 190 };
  let shown = [], figures = [], count, bar, grid;

  function make(tag, properties, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties || {})) {
      if (name in element && name !== 'list') element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  const link = path => path.split('/').map(encodeURIComponent).join('/');
  const picture = at => data.pictures[at];
  const value = (at, axis) => axis.values[picture(at).values[axis.at]];

  function label(at, without) {
    const parts = axes.filter(axis => !without.includes(axis)).map(axis => titled(axis, value(at, axis)));
    return parts.join(' · ') || picture(at).path;
  }

  function titled(axis, text) {
    return axis.label === 'prompt' ? text : `${axis.label} ${text}`;
  }

  function settings(at) {
    const own = data.fields.map((field, i) => [field.label, field.values[picture(at).values[i]]]);
    const scores = data.scores.map((name, i) => [name, picture(at).scores[i]]).filter(score => score[1] !== null)
      .map(score => [score[0], score[1].toFixed(3)]);
    return { own, scores, path: picture(at).path };
  }

  function select(name, label, entries, current, change) {
    const list = make('select', { name });
    for (const [key, text] of entries) list.append(make('option', { value: key, textContent: text, selected: key === current }));
    list.addEventListener('change', () => change(list.value));
    return make('label', { className: 'sweep-field' }, make('span', { textContent: label }), list);
  }

  // Short values stand in the bar, long ones in a list that unfolds. With none marked, all count.
  function filter(axis, number) {
    const short = axis.values.length <= 12 && axis.values.join('').length <= 90;
    const marks = axis.values.map((text, at) => {
      const mark = make('button', { type: 'button', className: 'sweep-chip', textContent: text, 'aria-pressed': 'false' });
      mark.addEventListener('click', () => {
        if (!chosen[number].delete(at)) chosen[number].add(at);
        mark.setAttribute('aria-pressed', chosen[number].has(at));
        update();
        tell();
      });
      return mark;
    });
    const tell = () => {
      heading.textContent = chosen[number].size === 0 ? `${axis.label}: all ${axis.values.length}`
        : `${axis.label}: ${chosen[number].size} of ${axis.values.length}`;
    };
    const heading = make(short ? 'legend' : 'summary');
    tell();
    return short ? make('fieldset', { className: 'sweep-filter' }, heading, make('div', {}, ...marks))
      : make('details', { className: 'sweep-filter sweep-long' }, heading, make('div', {}, ...marks));
  }

  function figure(at) {
    const { thumbnail, width, height } = picture(at);
    const image = make('img', { loading: 'lazy', decoding: 'async', width, height, alt: label(at, []), src: `thumbnails/${thumbnail}` });
    const open = make('button', { type: 'button', className: 'sweep-open', title: 'Enlarge' }, image);
    open.addEventListener('click', () => api.view([at], shown));
    const box = make('input', { type: 'checkbox', 'aria-label': `Select ${label(at, [])}` });
    box.addEventListener('change', () => mark(at, box.checked));
    const caption = make('figcaption');
    return { at, box, caption, element: make('figure', { className: 'sweep-picture' }, open, box, caption) };
  }

  function mark(at, isMarked) {
    if (isMarked) selected.add(at);
    else selected.delete(at);
    figures[at].box.checked = isMarked;
    figures[at].element.classList.toggle('sweep-selected', isMarked);
    tellSelection();
  }

  function tellSelection() {
    bar.hidden = selected.size === 0;
    bar.firstElementChild.textContent = `${selected.size} selected`;
    bar.querySelector('[name=side]').disabled = selected.size > 12;
  }

  function place(at, inside, without) {
    const text = label(at, without);
    figures[at].caption.textContent = text === picture(at).path ? '' : text;
    inside.append(figures[at].element);
  }

  function groups(list, axis) {
    const found = new Map();
    for (const at of list) {
      const key = picture(at).values[axis.at];
      if (!found.has(key)) found.set(key, []);
      found.get(key).push(at);
    }
    return [...found].sort((a, b) => a[0] - b[0]);
  }

  function update() {
    shown = data.pictures.map((_, at) => at).filter(at =>
      axes.every((axis, number) => chosen[number].size === 0 || chosen[number].has(picture(at).values[axis.at])));
    const score = data.scores.indexOf(state.order);
    if (score >= 0) shown.sort((a, b) => (picture(b).scores[score] ?? -Infinity) - (picture(a).scores[score] ?? -Infinity));
    count.textContent = `${shown.length === data.pictures.length ? '' : `${shown.length} of `}${data.pictures.length} pictures`;
    const rows = axes[state.rows], columns = axes[state.columns];
    const without = [rows, columns].filter(axis => axis);
    grid.replaceChildren(...(rows ? groups(shown, rows) : [[-1, shown]]).map(([key, list]) => {
      const row = make('section', { className: 'sweep-row' });
      if (rows) row.append(make('h3', { textContent: titled(rows, rows.values[key]) }));
      row.append(columns ? table(list, columns, without) : flow(list, without));
      return row;
    }));
    if (shown.length === 0) grid.append(make('p', { className: 'lab-note', textContent: 'No picture has all that is marked above.' }));
  }

  function flow(list, without) {
    const cells = make('div', { className: 'sweep-flow' });
    for (const at of list) place(at, cells, without);
    return cells;
  }

  function table(list, columns, without) {
    const here = [...new Set(shown.map(at => picture(at).values[columns.at]))].sort((a, b) => a - b);
    const cells = make('div', { className: 'sweep-columns', tabIndex: 0, role: 'group', 'aria-label': `by ${columns.label}` });
    cells.style.setProperty('--columns', here.length);
    const byColumn = new Map(groups(list, columns));
    for (const key of here) {
      const cell = make('div', { className: 'sweep-cell' }, make('h4', { textContent: titled(columns, columns.values[key]) }));
      for (const at of byColumn.get(key) || []) place(at, cell, without);
      cells.append(cell);
    }
    return cells;
  }

  function arrange() {
    const entries = [['-1', 'none'], ...axes.map((axis, at) => [String(at), axis.label])];
    const prompt = axes.findIndex(axis => axis.label === 'prompt');
    const fits = axes.findIndex((axis, at) => at !== prompt && axis.values.length <= 8 && !['seed', 'picture'].includes(axis.label));
    const draws = axes.findIndex(axis => ['seed', 'picture'].includes(axis.label) && axis.values.length <= 8);
    state.columns = fits >= 0 ? fits : prompt >= 0 ? draws : -1;
    state.rows = prompt >= 0 ? prompt : axes.findIndex((axis, at) => at !== state.columns && axis.values.length <= 60);
    const change = name => chosenAxis => {
      state[name] = Number(chosenAxis);
      const other = name === 'rows' ? 'columns' : 'rows';
      if (state[name] >= 0 && state[other] === state[name]) {
        state[other] = -1;
        root.querySelector(`[name=${other}]`).value = '-1';
      }
      update();
    };
    const size = make('input', { type: 'range', min: 80, max: 480, step: 10, value: state.size, name: 'size' });
    size.addEventListener('input', () => root.style.setProperty('--size', `${size.value}px`));
    const fields = axes.length === 0 ? [] : [
      select('rows', 'Rows', entries, String(state.rows), change('rows')),
      select('columns', 'Columns', entries, String(state.columns), change('columns')),
    ];
    if (data.scores.length > 0) {
      const orders = [['', 'as made'], ...data.scores.map(score => [score, `best ${score}`])];
      fields.push(select('order', 'Order', orders, '', order => { state.order = order; update(); }));
    }
    return [...fields, make('label', { className: 'sweep-field' }, make('span', { textContent: 'Size' }), size)];
  }

  function action(name, text, act) {
    const button = make('button', { type: 'button', className: 'sweep-button', name, textContent: text });
    button.addEventListener('click', act);
    return button;
  }

  function start() {
    count = make('output', { className: 'sweep-count', 'aria-live': 'polite' });
    grid = make('div', { className: 'sweep-grid' });
    figures = data.pictures.map((_, at) => figure(at));
    const controls = make('div', { className: 'sweep-controls' }, ...arrange());
    if (api.canCompare()) controls.append(action('blind', 'Blind comparison', () => api.blind()));
    controls.append(action('sheet', 'Contact sheet', () => api.sheet(shown)), count);
    const filters = make('div', { className: 'sweep-filters' }, ...axes.map(filter));
    const unfolded = make('details', { className: 'sweep-bar', open: innerWidth > 700 },
      make('summary', { textContent: 'Filter and arrange' }), controls, filters);
    bar = make('div', { className: 'sweep-selection', hidden: true, role: 'region', 'aria-label': 'Selection' }, make('strong'),
      action('side', 'Side by side', () => api.view([...selected].sort((a, b) => a - b), null)),
      action('selectedSheet', 'Contact sheet', () => api.sheet([...selected].sort((a, b) => a - b))),
      action('clear', 'Clear', () => [...selected].forEach(at => mark(at, false))));
    const all = make('details', { className: 'lab-more' }, make('summary', { textContent: 'What all pictures share' }),
      make('dl', { className: 'sweep-settings' }, ...data.shared.flatMap(entry =>
        [make('dt', { textContent: entry[0] }), make('dd', { textContent: entry[1] })])));
    root.replaceChildren(all, unfolded, grid, bar);
    root.style.setProperty('--size', `${state.size}px`);
    update();
  }

  const api = { data, axes, make, link, picture, value, label, titled, settings, action, mark, selected, start };
  return api;
})();
