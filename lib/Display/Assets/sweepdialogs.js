(function (sweep) {
  const { data, make, link, picture, action } = sweep;

  function dialog(...content) {
    const element = make('dialog', { className: 'sweep-dialog' }, ...content);
    element.addEventListener('close', () => element.remove());
    element.addEventListener('keydown', event => event.stopPropagation());
    document.body.querySelector('main').append(element);
    element.showModal();
    return element;
  }

  function download(name, content, type) {
    const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    make('a', { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  const fileName = ending => (data.title.replace(/[^\p{L}\p{N}_-]+/gu, '-').replace(/^-+|-+$/g, '') || 'pictures') + ending;

  // Enlarging and moving act on all pictures of a stage together.
  function zooming(stage) {
    const at = { scale: 1, x: 0, y: 0 };
    const images = () => stage.querySelectorAll('img');
    const apply = () => {
      if (at.scale <= 1) Object.assign(at, { scale: 1, x: 0, y: 0 });
      stage.classList.toggle('sweep-zoomed', at.scale > 1);
      images().forEach(image => { image.style.transform = `translate(${at.x}%, ${at.y}%) scale(${at.scale})`; });
    };
    const by = factor => {
      const scale = Math.min(16, Math.max(1, at.scale * factor));
      Object.assign(at, { x: at.x * scale / at.scale, y: at.y * scale / at.scale, scale });
      apply();
    };
    const move = (x, y) => {
      const most = 50 * (at.scale - 1);
      at.x = Math.min(most, Math.max(-most, at.x + x));
      at.y = Math.min(most, Math.max(-most, at.y + y));
      apply();
    };
    stage.addEventListener('wheel', event => {
      event.preventDefault();
      by(event.deltaY < 0 ? 1.25 : 0.8);
    }, { passive: false });
    stage.addEventListener('pointermove', event => {
      if (event.buttons !== 1 || at.scale <= 1 || !images().length) return;
      event.preventDefault();
      const box = images()[0].parentElement.getBoundingClientRect();
      move(100 * event.movementX / box.width, 100 * event.movementY / box.height);
    });
    stage.addEventListener('dblclick', () => by(at.scale > 1 ? 0 : 3));
    return { by, move, reset: () => by(0), isOn: () => at.scale > 1 };
  }

  function list(entries, className) {
    return make('dl', { className }, ...entries.flatMap(([name, text]) =>
      [make('dt', { textContent: name }), make('dd', { textContent: text })]));
  }

  function pane(at, whole) {
    const { path, width, height } = picture(at);
    const { own, scores } = sweep.settings(at);
    const image = make('img', { src: link(path), alt: sweep.label(at, []), width, height, draggable: false });
    const different = own.filter((_, i) => data.fields[i].isAxis);
    const details = whole ? [
      list([...own, ...scores, ['file', path]], 'sweep-settings'),
      make('details', { className: 'lab-more' },
        make('summary', { textContent: 'What all pictures share' }), list(data.shared, 'sweep-settings')),
    ] : [list([...different, ...scores], 'sweep-settings')];
    return make('div', { className: 'sweep-pane' },
      make('div', { className: 'sweep-frame' }, image), make('div', { className: 'sweep-details' }, ...details));
  }

  sweep.view = function (places, among) {
    let at = among ? among.indexOf(places[0]) : -1;
    const stage = make('div', { className: 'sweep-stage' });
    const zoom = zooming(stage);
    const chosen = make('input', { type: 'checkbox' });
    const place = make('span', { className: 'lab-dim' });
    const show = next => {
      if (among) {
        at = (next + among.length) % among.length;
        places = [among[at]];
        chosen.checked = sweep.selected.has(places[0]);
        place.textContent = `${at + 1} of ${among.length}`;
      }
      stage.style.setProperty('--panes', places.length);
      stage.classList.toggle('sweep-one', places.length === 1);
      stage.replaceChildren(...places.map(one => pane(one, places.length === 1)));
      zoom.reset();
    };
    chosen.addEventListener('change', () => sweep.mark(places[0], chosen.checked));
    const head = make('div', { className: 'sweep-head' });
    if (among) {
      head.append(action('previous', '← Previous', () => show(at - 1)), action('next', 'Next →', () => show(at + 1)),
        make('label', {}, chosen, ' Selected'), place);
    } else {
      head.append(make('strong', { textContent: `${places.length} side by side` }));
    }
    head.append(make('span', { className: 'sweep-space' }), action('in', 'Zoom in', () => zoom.by(1.5)),
      action('out', 'Zoom out', () => zoom.by(1 / 1.5)), action('close', 'Close', () => element.close()));
    const element = dialog(head, stage);
    element.addEventListener('keydown', event => {
      const moves = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      if (event.key === '+' || event.key === '=') zoom.by(1.5);
      else if (event.key === '-') zoom.by(1 / 1.5);
      else if (event.key === '0') zoom.reset();
      else if (event.key === 's' && among) chosen.click();
      else if (event.key in moves && zoom.isOn()) zoom.move(...moves[event.key].map(step => 10 * step));
      else if (event.key === 'ArrowRight' && among) show(at + 1);
      else if (event.key === 'ArrowLeft' && among) show(at - 1);
      else return;
      event.preventDefault();
    });
    show(at);
  };

  Object.assign(sweep, { dialog, download, fileName, zooming, list });
})(window.labSweep);
